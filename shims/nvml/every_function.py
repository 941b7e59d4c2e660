"""Calls every function of libnvidia-ml.so.1, and prints a JSON object: name to what it returned
in each of the situations below.

    every_function.py [--as-nobody] < {"functions": {name: [type of parameter, ...]}}

    uninitialized   before nvmlInit, with nulls
    nulls           all arguments 0
    foreign         every handle the address of something else, what is written to is there
    nothing_to_write_to    of those that take a device: the first device, all else 0
    device          every device the first one, what is written to is there, numbers 0
"""

import ctypes
import json
import os
import sys

# Large enough for every structure of nvml.h (the largest has 2.5 MB), so that a function that does
# not look into what its caller brings has nothing to spoil.
ROOM = 4 << 20

# They start and end the library, or have no result.
APART = {"nvmlInit", "nvmlInit_v2", "nvmlInitWithFlags", "nvmlShutdown", "nvmlErrorString"}


def main():
    functions = json.load(sys.stdin)["functions"]
    library = ctypes.CDLL("libnvidia-ml.so.1")
    said = {name: {} for name in functions if name not in APART}
    room = ctypes.create_string_buffer(ROOM)

    def ask(situation, argument, only=lambda given: True):
        for name, answers in said.items():
            given = functions[name]
            if not only(given):
                continue
            # All are 64 bits wide in registers.
            values = [ctypes.c_uint64(argument(of)) for of in given]
            answers[situation] = getattr(library, name)(*values)

    def takes_a_device(given):
        return given[:1] == ["nvmlDevice_t"]

    address = ctypes.addressof(room)
    ask("uninitialized", lambda of: 0)
    assert library.nvmlInit_v2() == 0
    # Not before: the configuration of a test is the caller's to read.
    if "--as-nobody" in sys.argv:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    device = ctypes.c_void_p()
    assert library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device)) == 0
    ask("nulls", lambda of: 0)
    ask("foreign", lambda of: address + 64 if "*" in of or of.endswith("_t") else 0)
    ask("nothing_to_write_to", lambda of: device.value if of == "nvmlDevice_t" else 0, takes_a_device)
    ctypes.memset(room, 0, ROOM)
    ask("device", lambda of: device.value if of == "nvmlDevice_t" else address if "*" in of else 0,
        takes_a_device)
    assert library.nvmlShutdown() == 0
    print(json.dumps(said))


main()
