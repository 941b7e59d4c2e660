"""What a program does with ggml's CUDA backend that has no model to run: it opens it, asks for
the devices, allocates, and copies both ways.

    ggml_client.py DIRECTORY_OF_LIBGGML_BASE LIBGGML_CUDA

Prints one JSON object.
"""

import ctypes
import json
import os
import random
import sys

MIB = 1 << 20
F32 = 0  # GGML_TYPE_F32, ggml.h

VOID, SIZE, TEXT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p


class InitParams(ctypes.Structure):
    _fields_ = [("mem_size", SIZE), ("mem_buffer", VOID), ("no_alloc", ctypes.c_bool)]


def function(library, name, result, *parameters):
    found = getattr(library, name)
    found.restype, found.argtypes = result, parameters
    return found


base = ctypes.CDLL(f"{sys.argv[1]}/libggml-base.so", ctypes.RTLD_GLOBAL | os.RTLD_NOW)
cuda = ctypes.CDLL(sys.argv[2], os.RTLD_NOW)

init = function(base, "ggml_init", VOID, InitParams)
new_tensor = function(base, "ggml_new_tensor_1d", VOID, VOID, ctypes.c_int, ctypes.c_int64)
device_memory = function(base, "ggml_backend_dev_memory", None, VOID, VOID, VOID)
allocate = function(base, "ggml_backend_alloc_ctx_tensors_from_buft", VOID, VOID, VOID)
buffer_size = function(base, "ggml_backend_buffer_get_size", SIZE, VOID)
buffer_free = function(base, "ggml_backend_buffer_free", None, VOID)
tensor_set = function(base, "ggml_backend_tensor_set", None, VOID, VOID, SIZE, SIZE)
tensor_get = function(base, "ggml_backend_tensor_get", None, VOID, VOID, SIZE, SIZE)
tensor_copy = function(base, "ggml_backend_tensor_copy", None, VOID, VOID)
tensor_memset = function(base, "ggml_backend_tensor_memset", None, VOID, ctypes.c_uint8, SIZE, SIZE)
set_async = function(base, "ggml_backend_tensor_set_async", None, VOID, VOID, VOID, SIZE, SIZE)
get_async = function(base, "ggml_backend_tensor_get_async", None, VOID, VOID, VOID, SIZE, SIZE)
synchronize = function(base, "ggml_backend_synchronize", None, VOID)


def free_memory(device):
    free, total = SIZE(), SIZE()
    device_memory(device, ctypes.byref(free), ctypes.byref(total))
    return free.value, total.value


registry = function(cuda, "ggml_backend_cuda_reg", VOID)()
count = function(base, "ggml_backend_reg_dev_count", SIZE, VOID)(registry)
said = {"backend": function(base, "ggml_backend_reg_name", TEXT, VOID)(registry).decode(),
        "devices": []}

for index in range(count):
    device = function(base, "ggml_backend_reg_dev_get", VOID, VOID, SIZE)(registry, index)
    kind = function(base, "ggml_backend_dev_buffer_type", VOID, VOID)(device)
    before, total = free_memory(device)
    context = init(InitParams(MIB, None, True))
    one, other = (new_tensor(context, F32, 8 * MIB) for _ in range(2))  # of 32 MiB each
    buffer = allocate(context, kind)
    size = buffer_size(buffer)
    held = before - free_memory(device)[0]

    generator = random.Random(index)
    sent = generator.randbytes(32 * MIB)
    came = ctypes.create_string_buffer(32 * MIB)
    copies = {}
    tensor_set(one, sent, 0, len(sent))
    tensor_get(one, came, 0, len(sent))
    copies["both ways"] = came.raw == sent
    tensor_copy(one, other)
    ctypes.memset(came, 0, len(sent))
    tensor_get(other, came, 0, len(sent))
    copies["on the device"] = came.raw == sent
    part = generator.randbytes(12345)
    tensor_set(one, part, 777, len(part))
    tensor_get(one, came, 0, len(sent))
    copies["a part"] = came.raw == sent[:777] + part + sent[777 + len(part):]
    tensor_memset(one, 0xA5, 4096, 8192)
    tensor_get(one, came, 4096, 8192)
    copies["set"] = came.raw[:8192] == b"\xa5" * 8192

    backend = function(base, "ggml_backend_dev_init", VOID, VOID, TEXT)(device, None)
    ctypes.memset(came, 0, len(sent))
    set_async(backend, other, part, 4, len(part))
    get_async(backend, other, came, 4, len(part))
    synchronize(backend)
    copies["on a stream"] = came.raw[:len(part)] == part
    function(base, "ggml_backend_free", None, VOID)(backend)
    buffer_free(buffer)
    function(base, "ggml_free", None, VOID)(context)

    said["devices"].append({
        "name": function(base, "ggml_backend_dev_name", TEXT, VOID)(device).decode(),
        "description": function(base, "ggml_backend_dev_description", TEXT, VOID)(device).decode(),
        "total": total, "free": before, "buffer": size, "held": held,
        "free after": free_memory(device)[0], "copies": copies})

print(json.dumps(said))
