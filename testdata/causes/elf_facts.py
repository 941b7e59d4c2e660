"""ELF facts of the objects that take part when Ollama looks for a GPU, as `files.jsonl` has them.

The lists of names are those that prebuilt ggml CUDA backends import, and that the shims and
NVIDIA's own libraries therefore have to define. They are whole as far as these trees go, so that
a reader may say that a name is missing.
"""

import copy
import hashlib

DRIVER_IMPORTS = (
    "cuDeviceGet cuDeviceGetAttribute cuGetErrorString cuMemAddressFree cuMemAddressReserve "
    "cuMemCreate cuMemGetAllocationGranularity cuMemMap cuMemRelease cuMemSetAccess cuMemUnmap"
).split()

DRIVER_EXPORTS = DRIVER_IMPORTS + (
    "cuInit cuDriverGetVersion cuDeviceGetCount cuDeviceGetName cuDeviceGetUuid cuDeviceGetUuid_v2 "
    "cuDeviceTotalMem_v2 cuDeviceGetPCIBusId cuDeviceGetByPCIBusId cuCtxCreate_v3 cuCtxDestroy "
    "cuCtxDestroy_v2 cuMemGetInfo_v2 cuGetProcAddress_v2 cuGetExportTable cuLaunchKernel"
).split()

RUNTIME_IMPORTS = (
    "__cudaRegisterFatBinary __cudaRegisterFatBinaryEnd __cudaUnregisterFatBinary "
    "__cudaRegisterFunction __cudaRegisterVar __cudaPushCallConfiguration "
    "__cudaPopCallConfiguration cudaGetDeviceCount cudaGetDevice cudaSetDevice "
    "cudaDeviceGetAttribute cudaDeviceSynchronize cudaDeviceCanAccessPeer "
    "cudaDeviceEnablePeerAccess cudaMalloc cudaMallocManaged cudaMallocHost cudaFree cudaFreeHost "
    "cudaHostRegister cudaHostUnregister cudaMemGetInfo cudaMemcpyAsync cudaMemcpy2DAsync "
    "cudaMemcpyPeerAsync cudaMemset cudaMemsetAsync cudaStreamCreateWithFlags cudaStreamDestroy "
    "cudaStreamSynchronize cudaStreamWaitEvent cudaStreamBeginCapture cudaStreamEndCapture "
    "cudaEventCreateWithFlags cudaEventDestroy cudaEventRecord cudaEventSynchronize "
    "cudaGraphInstantiate cudaGraphLaunch cudaGraphDestroy cudaGraphExecDestroy "
    "cudaGraphExecUpdate cudaFuncGetAttributes cudaFuncSetAttribute "
    "cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags cudaGetErrorString cudaGetLastError "
    "cudaPeekAtLastError cudaLaunchKernel cudaGetDeviceProperties_v2 cudaDriverGetVersion"
).split()

RUNTIME_EXPORTS = RUNTIME_IMPORTS + (
    "cudaDeviceReset cudaDeviceGetPCIBusId cudaGetDeviceProperties cudaSetDeviceFlags "
    "__cudaGetKernel __cudaLaunchKernel cudaRuntimeGetVersion"
).split()

CUBLAS_IMPORTS = (
    "cublasCreate_v2 cublasDestroy_v2 cublasGemmBatchedEx cublasGemmEx cublasGemmStridedBatchedEx "
    "cublasGetStatusString cublasSetMathMode cublasSetStream_v2 cublasSgemm_v2"
).split()

NVML_EXPORTS = (
    "nvmlInit nvmlInit_v2 nvmlShutdown nvmlErrorString nvmlSystemGetDriverVersion "
    "nvmlDeviceGetCount nvmlDeviceGetCount_v2 nvmlDeviceGetHandleByIndex "
    "nvmlDeviceGetHandleByIndex_v2 nvmlDeviceGetHandleByUUID nvmlDeviceGetHandleByPciBusId_v2 "
    "nvmlDeviceGetMemoryInfo nvmlDeviceGetMemoryInfo_v2 nvmlDeviceGetName nvmlDeviceGetUUID "
    "nvmlDeviceGetPciInfo_v3 nvmlDeviceGetCudaComputeCapability"
).split()

GGML_BASE = (
    "ggml_abort ggml_backend_buffer_init ggml_backend_buft_is_host ggml_backend_dev_by_type "
    "ggml_backend_reg_by_name ggml_element_size ggml_log_set ggml_nbytes ggml_nelements "
    "ggml_op_name ggml_type_size"
).split()

# name: the version node of glibc 2.36 that a program built on Debian 12 binds to.
LIBC = {
    "malloc": "GLIBC_2.2.5", "free": "GLIBC_2.2.5", "strcmp": "GLIBC_2.2.5",
    "getenv": "GLIBC_2.2.5", "memcpy": "GLIBC_2.14", "open": "GLIBC_2.2.5",
    "read": "GLIBC_2.2.5", "dlopen": "GLIBC_2.34", "dlsym": "GLIBC_2.34",
    "pthread_mutex_lock": "GLIBC_2.2.5", "__libc_start_main": "GLIBC_2.34",
    "openat": "GLIBC_2.4", "pread": "GLIBC_2.2.5", "readv": "GLIBC_2.2.5",
    "clone": "GLIBC_2.2.5", "execv": "GLIBC_2.2.5", "execve": "GLIBC_2.2.5",
    "execvp": "GLIBC_2.2.5", "fork": "GLIBC_2.2.5", "vfork": "GLIBC_2.2.5",
}
LIBC_NODES = ("GLIBC_2.2.5 GLIBC_2.2.6 GLIBC_2.3 GLIBC_2.3.4 GLIBC_2.4 GLIBC_2.7 GLIBC_2.14 "
              "GLIBC_2.17 GLIBC_2.27 GLIBC_2.28 GLIBC_2.29 GLIBC_2.32 GLIBC_2.33 GLIBC_2.34 "
              "GLIBC_2.35 GLIBC_2.36 GLIBC_PRIVATE").split()

ARCHS = {
    "12": ["sm_50", "sm_60", "sm_61", "sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90",
           "sm_90a", "sm_120"],
    "13": ["compute_75", "compute_80", "compute_86", "compute_89", "sm_90", "sm_90a", "sm_100",
           "sm_120", "compute_121"],
    "11": ["sm_50", "sm_60", "sm_61", "sm_70", "sm_75", "sm_80"],
}


def build_id(of):
    return hashlib.sha1(of.encode()).hexdigest()


def names(symbols, version=None):
    return [{"name": name, "version": version} for name in symbols]


def undefined(symbols, version=None):
    return [{"name": name, "version": version, "weak": False} for name in symbols]


def libc_undefined(symbols):
    return [{"name": name, "version": LIBC[name], "weak": False} for name in symbols]


def shared(of, soname, needed=("libc.so.6",), **more):
    facts = {"class": 64, "machine": "x86_64", "type": "DYN", "interp": None, "soname": soname,
             "needed": list(needed), "rpath": None, "runpath": None, "build_id": build_id(of),
             "bind_now": False, "version_defs": []}
    facts.update(copy.deepcopy(more))
    return facts


def shim(kind, major="12"):
    """The ELF facts of one of the five shims."""
    libc = ["malloc", "free", "memcpy", "getenv", "pthread_mutex_lock"]
    common = {"version_needs": [{"file": "libc.so.6",
                                 "versions": ["GLIBC_2.2.5", "GLIBC_2.14", "GLIBC_2.34"]}],
              "undefined": libc_undefined(libc + ["dlsym"]), "undefined_complete": True,
              "exports_complete": True}
    of = "vgpu " + kind + major
    if kind == "exec":
        return shared(of, "libvgpu-exec.so", **common,
                      exports=names("execve execv execvp fork clone".split()))
    if kind == "syscall":
        return shared(of, "libvgpu-syscall.so", **common,
                      exports=names("openat read pread readv".split()))
    if kind == "cuda":
        return shared(of, "libcuda.so.1", **common, exports=names(DRIVER_EXPORTS))
    if kind == "nvml":
        return shared(of, "libnvidia-ml.so.1", **common, exports=names(NVML_EXPORTS))
    if kind == "cudart":
        node = "libcudart.so." + major
        return shared(of, node, **common, exports=names(RUNTIME_EXPORTS, node),
                      version_defs=[node])
    raise ValueError(kind)


def nvidia(kind, release):
    """NVIDIA's own libraries: the driver's, the runtime, cuBLAS."""
    of = "nvidia %s %s" % (kind, release)
    major = release.split(".")[0]
    if kind == "cuda":
        return shared(of, "libcuda.so.1",
                      ("libm.so.6", "libdl.so.2", "libpthread.so.0", "libc.so.6"),
                      exports=names(DRIVER_EXPORTS), exports_complete=False)
    if kind == "nvml":
        return shared(of, "libnvidia-ml.so.1", ("libdl.so.2", "libm.so.6", "libc.so.6"),
                      exports=names(NVML_EXPORTS), exports_complete=False)
    if kind == "cudart":
        node = "libcudart.so." + major
        return shared(of, node, ("libc.so.6", "libdl.so.2", "libpthread.so.0"),
                      exports=names(RUNTIME_EXPORTS, node), exports_complete=True,
                      version_defs=[node])
    if kind == "cublas":
        node = "libcublas.so." + major
        return shared(of, node, ("libcublasLt.so." + major, "libc.so.6"), runpath="$ORIGIN",
                      exports=names(CUBLAS_IMPORTS + ["cublasSetWorkspace_v2"], node),
                      exports_complete=True, version_defs=[node])
    if kind == "cublasLt":
        node = "libcublasLt.so." + major
        return shared(of, node, runpath="$ORIGIN", exports=names(["cublasLtCreate"], node),
                      exports_complete=False, version_defs=[node])
    raise ValueError(kind)


def backend(version, major, base_soname):
    """libggml-cuda.so of one release of Ollama, for one major release of CUDA."""
    cudart, cublas = "libcudart.so." + major, "libcublas.so." + major
    runtime = list(RUNTIME_IMPORTS)
    if major == "13":
        runtime[runtime.index("cudaGetDeviceProperties_v2")] = "cudaGetDeviceProperties"
    return shared(
        "ggml-cuda %s %s" % (version, major), "libggml-cuda.so",
        (base_soname, cudart, cublas, "libcuda.so.1", "libstdc++.so.6", "libm.so.6",
         "libgcc_s.so.1", "libc.so.6"),
        version_needs=[{"file": cublas, "versions": [cublas]},
                       {"file": cudart, "versions": [cudart]},
                       {"file": "libc.so.6", "versions": ["GLIBC_2.2.5", "GLIBC_2.14"]}],
        undefined=(undefined(DRIVER_IMPORTS) + undefined(runtime, cudart) +
                   undefined(CUBLAS_IMPORTS, cublas) + undefined(GGML_BASE) +
                   libc_undefined(["malloc", "memcpy", "strcmp"])),
        undefined_complete=True, exports=names(["ggml_backend_cuda_reg", "ggml_backend_init"]),
        exports_complete=False, cuda_archs=ARCHS[major])


def ggml_base(version, soname):
    return shared("ggml-base " + version, soname,
                  ("libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6"),
                  exports=names(GGML_BASE), exports_complete=True)


def ollama(version):
    number = tuple(int(part) for part in version.split("."))
    go = "go1.24.0" if number < (0, 13) else "go1.24.1" if number < (0, 20) else "go1.26.0"
    facts = shared("ollama " + version, None,
                   ("libresolv.so.2", "libpthread.so.0", "libdl.so.2", "libstdc++.so.6",
                    "libm.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2"))
    facts.update({"pie": True, "interp": "/lib64/ld-linux-x86-64.so.2",
                  "go_build": {"go": go, "module": "github.com/ollama/ollama",
                               "version": "v" + version}})
    return facts


def program(of, needed=("libc.so.6",)):
    facts = shared(of, None, needed)
    facts.update({"pie": True, "interp": "/lib64/ld-linux-x86-64.so.2"})
    return facts


def libc():
    facts = shared("glibc 2.36", "libc.so.6", ("ld-linux-x86-64.so.2",))
    facts.update({"interp": "/lib64/ld-linux-x86-64.so.2", "version_defs": list(LIBC_NODES),
                  "exports": [{"name": n, "version": v} for n, v in LIBC.items()],
                  "exports_complete": False})
    return facts
