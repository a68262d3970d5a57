"""Tests of inner_loops.py on small pieces of assembly; those of the throughput need llvm-mca."""

import json
import shutil
import subprocess
import sys

import inner_loops
import pytest

ARM64 = """\
kernel:                                 // @kernel
// %bb.0:
\tstr\tq9, [sp, #-16]!                  // 16-byte Folded Spill
.LBB0_1:                                // =>This Loop Header: Depth=1
\tldr\tq8, [sp, #32]                    // 16-byte Folded Reload
\tmov\tx9, xzr
.LBB0_2:                                // =>  This Inner Loop Header: Depth=2
\tldrsw\tx3, [x0], #4
\tldr\tq8, [x1]
\tfmla\tv0.4s, v8.4s, v9.s[0]
\tfmla\tv1.4s, v8.4s, v9.s[1]
\tfmla\tv2.4s, v8.4s, v9.s[2]
\tsubs\tx2, x2, #1
{extra}\tb.ne\t.LBB0_2
// %bb.3:
\tcbnz\tx4, .LBB0_1
.LBB0_4:
\tsubs\tx5, x5, #1
\tfmla\tv3.4s, v8.4s, v9.s[2]
\tb.ne\t.LBB0_4
\tret
.Lfunc_end0:
other:
.LBB1_1:
\tfmla\tv0.4s, v8.4s, v9.s[0]
\tfmla\tv1.4s, v8.4s, v9.s[0]
\tfmla\tv2.4s, v8.4s, v9.s[0]
\tfmla\tv3.4s, v8.4s, v9.s[0]
\tb\t.LBB1_1
.Lfunc_end1:
"""

# The sums of the strip, (%rsp,%rcx), are no spill; the loop of prefetches is none of the strip's own.
X86_STRIP = """\
kernel:                                 # @kernel
# %bb.0:
.LBB0_1:
\tvmovups\t(%rsi), %zmm1
.LBB0_2:
\tprefetcht0\t(%rdi)
\taddq\t$128, %rdi
\tjne\t.LBB0_2
# %bb.3:
\tvmovaps\t448(%rsp), %zmm2                # 64-byte Reload
\tvmovaps\t%zmm0, 2880(%rsp,%rcx)
\tvfmadd231ps\t%zmm1, %zmm2, %zmm0   # zmm0 = (zmm2 * zmm1) + zmm0
\tvfmadd231ps\t(%rsp), %zmm2, %zmm3 # 64-byte Folded Reload
\tmovq\t8(%rsp), %rax                  # 8-byte Reload
\tcmpq\t%rax, %rcx
\tjb\t.LBB0_1
.Lfunc_end0:
"""

X86_PAIRS = """\
kernel:                                 # @kernel
.LBB0_1:
\tmovups\t(%rsi), %xmm1
\tmulps\t%xmm1, %xmm2
\taddps\t%xmm2, %xmm3
\tmulps\t%xmm1, %xmm4
\taddps\t%xmm4, %xmm5
\taddq\t$4, %rsi
\tdecq\t%rcx
\tjne\t.LBB0_1
.Lfunc_end0:
"""

ARM32 = """\
\t.eabi_attribute\t6, 10
kernel:
.LBB0_1:                                @ =>This Inner Loop Header: Depth=1
\tadd\tr0, sp, #96
\tvstmia\tr0, {d26, d27}                  @ 16-byte Spill
\tldr\tr1, [sp, #4]                       @ 4-byte Reload
\tvld1.32\t{d0, d1}, [r2]!
\tvmul.f32\tq1, q0, d4[0]
\tvadd.f32\tq8, q1, q8
\tsubs\tr8, r8, #1
\tbne\t.LBB0_1
.Lfunc_end0:
"""


def measures(text, symbol="kernel"):
    architecture = inner_loops.architecture_of(text)
    loop = inner_loops.hot_loop(*inner_loops.function_body(text, symbol, architecture), architecture)
    return architecture.name, inner_loops.measure(loop, architecture)


def expected(instructions, multiply_adds, share, vector_spills, general_spills):
    return {
        "instructions": instructions,
        "multiply_adds": multiply_adds,
        "share": share,
        "vector_spills": vector_spills,
        "general_spills": general_spills,
    }


def test_arm64_takes_the_loop_with_most_multiply_adds_of_the_named_function():
    assert measures(ARM64.format(extra="")) == ("arm64", expected(7, 3, 0.429, 0, 0))


@pytest.mark.parametrize(
    "extra, vector, general",
    [
        ("\tldr\tq8, [sp, #32]\n", 1, 0),
        ("\tldp\tx8, x9, [sp, #32]\n", 0, 1),
        ("\tldr\tq8, [x8]   // 16-byte Folded Reload\n", 1, 0),
        ("\tstr\tw8, [sp]\n", 0, 1),
        ("\tldr\tq8, [sp, x8]\n", 0, 0),
    ],
)
def test_arm64_spills(extra, vector, general):
    assert measures(ARM64.format(extra=extra))[1] == expected(8, 3, 0.375, vector, general)


def test_x86_strip_leaves_out_prefetches_and_sums():
    assert measures(X86_STRIP) == ("x86", expected(8, 2, 0.25, 2, 1))


def test_x86_without_fused_multiply_add_counts_pairs():
    assert measures(X86_PAIRS) == ("x86", expected(8, 2, 0.5, 0, 0))


def test_arm32_finds_spills_through_a_pointer():
    assert measures(ARM32) == ("arm32", expected(8, 1, 0.25, 1, 1))


@pytest.mark.parametrize("text", [ARM64.replace("fmla", "fadd").format(extra=""), ARM64.replace("LBB0_", "LBB9 ")])
def test_no_loop_of_multiply_adds_is_an_error(text):
    with pytest.raises(ValueError, match="no loop"):
        measures(text)


def test_a_missing_function_is_an_error():
    with pytest.raises(ValueError, match="no function absent"):
        measures(ARM64, "absent")


GOOD = {
    "instructions": 33,
    "multiply_adds": 24,
    "share": 0.727,
    "vector_spills": 0,
    "general_spills": 0,
    "throughput": {"cortex-a55": 0.4, "cortex-a76": 1.0, "neoverse-n1": 1.0},
}


def with_throughput(fraction):
    return {"throughput": {**GOOD["throughput"], "neoverse-n1": fraction}}


@pytest.mark.parametrize(
    "change, message",
    [
        ({}, None),
        ({"share": 0.724}, None),
        (with_throughput(0.985), None),
        ({"share": 0.71}, "share of multiply-adds 71.0%, was 72.7%"),
        ({"vector_spills": 1}, "vector spills: 1, were 0"),
        ({"general_spills": 2}, "general spills: 2, were 0"),
        (with_throughput(0.97), "neoverse-n1: 97.0% of the limit, was 100.0%"),
    ],
)
def test_check_against_the_reference(change, message):
    failures = inner_loops.compare("x86_avx2", {"rows_3x8": {**GOOD, **change}}, {"rows_3x8": GOOD})
    assert failures == ([] if message is None else ["x86_avx2 rows_3x8: " + message])


@pytest.mark.parametrize(
    "kernel, change, message",
    [
        ("rows_3x8", {}, None),
        ("rows_3x8", {"share": 0.65}, "below the bar of 66%"),
        ("pixels_6x4", {"share": 0.65}, "below the bar of 66%"),
        ("rows_7x4", {"general_spills": 1}, "none are allowed"),
        ("rows_3x8", with_throughput(0.94), "below the bar of 95%"),
        ("rows_8x3", {"share": 0.6}, None),
        ("strips_6x2_size3", {"vector_spills": 2}, None),
    ],
)
def test_bars_hold_for_wide_kernels_even_if_the_reference_has_the_same(kernel, change, message):
    now = {**GOOD, **change}
    failures = inner_loops.compare("arm64_neon", {kernel: now}, {kernel: now})
    assert len(failures) == (0 if message is None else 1)
    assert message is None or message in failures[0]


def test_check_wants_a_reference_for_what_is_built_and_the_reverse():
    failures = inner_loops.compare("x86_avx2", {"rows_3x8": GOOD}, {"rows_4x6": GOOD})
    assert len(failures) == 2
    assert "rows_3x8: has no reference" in failures[0]
    assert "rows_4x6: is in the reference and was not built" in failures[1]


def test_files_of_rows_that_are_gone_are_left_out(tmp_path):
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    for name in ("a_rows_3x8", "a_rows_3x80"):
        (kernels / (name + ".s")).touch()
    assert len(inner_loops.assembly_files(kernels)) == 2
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "kernels.inc").write_text('CORRBANK_KERNEL(a, rows, 3, 80, 0, "rows_3x80", a_rows_3x80)\n')
    assert [path.stem for path in inner_loops.assembly_files(kernels)] == ["a_rows_3x80"]


@pytest.mark.skipif(shutil.which(inner_loops.MCA) is None, reason=f"{inner_loops.MCA} is not installed")
def test_command_updates_checks_and_fails(tmp_path):
    symbol = "corrbank_kernel_f32_arm64_neon_rows_1x3"
    assembly = tmp_path / (symbol + ".s")
    reference = tmp_path / "reference"

    def run(what):
        command = [sys.executable, inner_loops.__file__, str(tmp_path), "--reference", str(reference), what]
        return subprocess.run(command, capture_output=True, text=True)

    assembly.write_text(ARM64.format(extra="").replace("kernel", symbol))
    assert "has no reference" in run("--check").stderr
    assert run("--update").returncode == 0
    written = json.loads((reference / "arm64_neon.json").read_text())["rows_1x3"]
    # A multiply-add takes 4 cycles, and 8 could be under way: three chains of sums use 3 of them.
    assert written["throughput"]["neoverse-n1"] == pytest.approx(3 / 8, abs=0.01)
    assert run("--check").returncode == 0

    assembly.write_text(ARM64.format(extra="\tldr\tq8, [sp, #32]\n").replace("kernel", symbol))
    failed = run("--check")
    assert failed.returncode == 1 and "arm64_neon rows_1x3: vector spills: 1, were 0" in failed.stderr
