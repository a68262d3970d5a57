"""python object_format.py PLATFORM FILE...: whether the platform's linker takes these objects, and what they call.

PLATFORM is CORRBANK_PLATFORM. Reads ELF and Mach-O itself: the host's binutils know neither iOS nor other processors.
"""

import struct
import sys
from pathlib import Path

ELF_MACHINES = {"x86-64": 62, "arm-64": 183, "arm-32": 40}
MACHO_PLATFORMS = {"ios": 2, "ios-simulator": 7}
MACHO_ARM64 = 0x0100000C

# What compilers call by themselves: to clear an array, and to divide where the processor cannot.
HELPERS = {"memset", "_bzero", "__aeabi_memclr4", "__aeabi_memclr8", "__aeabi_uidiv"}


def read_elf(data):
    """Class in bits and machine, then the undefined symbols."""
    bits = {1: 32, 2: 64}[data[4]]
    if data[5] != 1 or struct.unpack_from("<H", data, 16)[0] != 1:
        raise ValueError("no little-endian relocatable object")
    machine = struct.unpack_from("<H", data, 18)[0]
    if bits == 64:
        (sections,), (size, count) = struct.unpack_from("<Q", data, 40), struct.unpack_from("<HH", data, 58)
        header, symbol = "<IIQQQQIIQQ", "<IBBHQQ"
    else:
        (sections,), (size, count) = struct.unpack_from("<I", data, 32), struct.unpack_from("<HH", data, 46)
        header, symbol = "<IIIIIIIIII", "<IIIBBH"
    rows = [struct.unpack_from(header, data, sections + n * size) for n in range(count)]
    undefined = []
    for row in rows:
        if row[1] != 2:  # a table of symbols; row[6] is the section of their names
            continue
        names = rows[row[6]][4]
        for at in range(row[4] + row[9], row[4] + row[5], row[9]):
            fields = struct.unpack_from(symbol, data, at)
            if fields[3 if bits == 64 else 5] == 0:
                name = data[names + fields[0] : data.index(b"\0", names + fields[0])]
                undefined.append(name.decode())
    return bits, machine, undefined


def read_macho(data):
    """Processor and platform, then the undefined symbols."""
    cpu, _, kind, commands = struct.unpack_from("<iIII", data, 4)
    if kind != 1:
        raise ValueError("no relocatable object")
    platform, undefined, at = None, [], 32
    for _ in range(commands):
        command, size = struct.unpack_from("<II", data, at)
        if command == 0x32:  # LC_BUILD_VERSION
            platform = struct.unpack_from("<I", data, at + 8)[0]
        if command == 0x2:  # LC_SYMTAB
            symbols, count, names, _ = struct.unpack_from("<IIII", data, at + 8)
            for n in range(count):
                name, type_ = struct.unpack_from("<IB", data, symbols + n * 16)
                if type_ & 0x0E == 0:
                    undefined.append(data[names + name : data.index(b"\0", names + name)].decode())
        at += size
    return cpu, platform, undefined


def check(platform, data):
    """What is wrong with an object; empty if nothing."""
    processor, system = platform[: platform.index("-", 5)], platform.split("-", 2)[2]
    if system in MACHO_PLATFORMS:
        if data[:4] != b"\xcf\xfa\xed\xfe":
            return "is not Mach-O of 64 bits"
        cpu, macho_platform, undefined = read_macho(data)
        if (cpu, macho_platform) != (MACHO_ARM64, MACHO_PLATFORMS[system]):
            return f"is for processor {cpu:#x}, platform {macho_platform}"
    else:
        if data[:4] != b"\x7fELF":
            return "is not ELF"
        bits, machine, undefined = read_elf(data)
        if (bits, machine) != (int(processor[-2:]), ELF_MACHINES[processor]):
            return f"is for machine {machine}, {bits} bits"
    called = sorted(set(undefined) - HELPERS)
    return f"calls {', '.join(called)}" if called else ""


def main(platform, *files):
    wrong = 0
    for file in files:
        if problem := check(platform, Path(file).read_bytes()):
            print(f"{file} {problem}", file=sys.stderr)
            wrong += 1
    print(f"{platform}: {len(files)} objects, {len(files) - wrong} of the right format, with no foreign calls")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
