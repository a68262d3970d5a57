"""The gate's reading of SASS: which loop it takes for the hot one."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "bench"))
import ptx_gate  # noqa: E402

# In order: a staging loop, then a loop over rows around the loop over taps, and the trap behind the end.
SASS = """
.text._kernel:
        /*0000*/                   MOV R1, c[0x0][0x28] ;
.L_x_0:
        /*0010*/                   LDG.E.CONSTANT R4, desc[UR6][R2.64] ;
        /*0020*/              @!P1 FFMA R4, R4, R5, R6 ;
        /*0030*/               @P0 BRA `(.L_x_0) ;
        /*0040*/                   BAR.SYNC.DEFER_BLOCKING 0x0 ;
.L_x_2:
        /*0050*/                   IADD3 R8, R8, 0x1, RZ ;
        /*0060*/                   FFMA R9, R8, R5, R9 ;
.L_x_1:
        /*0070*/                   LDS.128 R32, [R104+0x2c00] ;
        /*0080*/                   FFMA R10, R32, R36.reuse, R10 ;
        /*0090*/                   FFMA.FTZ R11, R33, R36, R11 ;
        /*00a0*/                   FFMA R12, R34, R36, R12 ;
        /*00b0*/              @!P0 CALL.REL.NOINC `(.L_x_3) ;
        /*00c0*/              @UP0 BRA `(.L_x_1) ;
.L_x_3:
        /*00d0*/              @!P2 BRA `(.L_x_2) ;
        /*00e0*/                   EXIT ;
.L_x_4:
        /*00f0*/                   BRA `(.L_x_4);
"""


def test_takes_the_innermost_loop_with_most_ffma():
    assert ptx_gate.hot_loop(SASS) == (3, 6)


def test_branches_forward_are_no_loops():
    forward = SASS.replace("BRA `(.L_x_1)", "BRA `(.L_x_3)")
    assert ptx_gate.hot_loop(forward) == (4, 9)


def test_nothing_without_loops():
    assert ptx_gate.hot_loop(SASS.replace("BRA", "BRX")) == (0, 0)


def figures(**changed):
    return {"stack_bytes": 0, "spill_bytes": 0, "ffma_percent": 90.0, **changed}


def test_complains_of_spills_and_of_thin_loops():
    assert not list(ptx_gate.complaints("warp_8x8x8", 90, figures()))
    assert len(list(ptx_gate.complaints("warp_8x8x8", 90, figures(spill_bytes=4)))) == 1
    assert len(list(ptx_gate.complaints("warp_8x8x8", 90, figures(stack_bytes=8, ffma_percent=83.9)))) == 2


def test_exempt_rows_have_a_floor_of_their_own():
    name, (least, _) = next(iter(ptx_gate.EXEMPT.items()))
    assert not list(ptx_gate.complaints(name, 90, figures(ffma_percent=least)))
    assert list(ptx_gate.complaints(name, 90, figures(ffma_percent=least - 1)))


def test_reads_the_table(tmp_path):
    table = tmp_path / "cuda_kernels.inc"
    table.write_text('// CORRBANK_CUDA_KERNEL(name,\n// walk)\n'
                     'CORRBANK_CUDA_KERNEL("warp_8x8x4", warp, 8, 8, 4, 32, 3, 8, function, nullptr)\n')
    assert ptx_gate.read_table(table) == [ptx_gate.Row("warp_8x8x4", 32, "function")]
