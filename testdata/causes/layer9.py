"""9xx: after discovery."""

from cases import A, A_OLD, A_PATH, A_REAL, B, B_REAL, C_REAL, fault, neighbour


def _model(size, vram, context=4096):
    return {"models": [{"name": "llama3.1:70b", "model": "llama3.1:70b", "size": size,
                        "size_vram": vram, "context_length": context,
                        "expires_at": "2026-03-01T09:30:00-05:00"}]}


@fault("VG901", B_REAL, C_REAL, B, roots=[], notes=["VG901"], touches=["ps"])
def half_on_the_cpu(h):
    """The model does not fit: 41 of 81 layers are on the GPU."""
    h.ps = _model(90000000000, 45000000000, 131072)
    h.later("load_tensors: offloaded 41/81 layers to GPU", "")


@neighbour("VG901", B, C_REAL)
def all_on_the_gpu(h):
    """The model fits."""
    h.ps = _model(5300000000, 5300000000)
    h.later("load_tensors: offloaded 33/33 layers to GPU", "")


def _lost(h, why):
    h.ps = _model(5300000000, 0)
    h.later(why, "")
    h.later('msg="llama runner started in 2.01 seconds"', source="server.go:619", wait=2)


@fault("VG902", A_OLD, A, roots=["VG501"], consequences=[], may=["VG902", "VG502"],
       touches=["lib", "ps"], never=["VG704"])
def runner_without_libraries(h):
    """Discovery named the GPU; a model was loaded on the CPU, for lib/ollama is not there."""
    h.remove(h.ollama_lib)
    _lost(h, "load_backend: loaded CPU backend from /usr/bin/libggml-cpu.so")


@fault("VG902", A_REAL, roots=["VG504"], consequences=["VG902"], touches=["variant.cublas", "ps"],
       never=["VG704"])
def runner_without_cublas(h):
    """Discovery named the GPU; the runner could not open the backend, whose cuBLAS is gone."""
    h.remove(h.variant_dir + "/libcublasLt.so.12", h.variant_dir + "/libcublasLt.so.12.8.90",
             h.ollama_lib + "/cuda_v13")
    _lost(h, "ggml_backend_load_best: failed to load %s/libggml-cuda.so: libcublasLt.so.12: cannot "
          "open shared object file: No such file or directory" % h.variant_dir)


@fault("VG902", A_PATH, consequences=[], touches=["ps"], never=["VG704"])
def runner_on_the_cpu(h):
    """Discovery named the GPU, and a model was loaded on the CPU; nothing explains it."""
    _lost(h, "load_tensors: offloaded 0/33 layers to GPU")


@neighbour("VG902", A, A_REAL)
def runner_on_the_gpu(h):
    """Discovery named the GPU, and the model is on it."""
    h.ps = _model(5300000000, 5300000000)
