#include "diag/ollama/messages.h"

namespace vgpu::ollama {
namespace {

constexpr Message kMessages[] = {
    {Event::kServerConfig, Speaker::kOllama, "server config"},
    {Event::kListening, Speaker::kOllama, "Listening on "},
    {Event::kDiscoveryBegan, Speaker::kOllama, "discovering available GPUs"},   // B, C
    {Event::kDiscoveryBegan, Speaker::kOllama, "looking for compatible GPUs"},  // A
    {Event::kNone, Speaker::kOllama, "GPU bootstrap discovery took"},           // the sum of all
    {Event::kPass, Speaker::kOllama, "bootstrap discovery took"},               // B
    {Event::kPass, Speaker::kOllama, "llama-server device discovery took"},     // C
    {Event::kCount, Speaker::kOllama, "devices to filter out"},                 // B, C
    {Event::kCount, Speaker::kOllama,
     "filtering out unsupported or overlapping GPU library combinations"},  // v0.12.4 to .6
    {Event::kVerifying, Speaker::kOllama, "verifying if device is supported"},
    {Event::kVerifying, Speaker::kOllama, "verifying GPU is supported"},  // v0.12.6
    {Event::kFiltered, Speaker::kOllama, "filtering device which didn't fully initialize"},
    {Event::kSkipped, Speaker::kOllama, "skipping available library at"},  // v0.12: "at users"
    {Event::kSkipped, Speaker::kOllama, "jetpack not detected"},
    {Event::kSkipped, Speaker::kOllama, "experimental Vulkan support disabled"},
    {Event::kSkipped, Speaker::kOllama, "dropping integrated GPU"},
    {Event::kSkipped, Speaker::kOllama, "skipping pseudo-device with zero memory"},
    {Event::kFailure, Speaker::kOllama, "failure during GPU discovery"},               // B
    {Event::kFailure, Speaker::kOllama, "failure during llama-server GPU discovery"},  // C
    {Event::kFailure, Speaker::kOllama, "llama-server GPU discovery watchdog timed out"},
    {Event::kFailure, Speaker::kOllama, "discovery: timed out waiting for server startup"},
    {Event::kFailure, Speaker::kOllama, "unable to start discovery subprocess"},  // to v0.12.6
    {Event::kFailure, Speaker::kOllama, "failed to start runner to discovery GPUs"},
    {Event::kFailure, Speaker::kOllama, "llama-server not available for device discovery"},
    {Event::kFailure, Speaker::kOllama, "discovery: failed to start"},
    {Event::kChildEnded, Speaker::kOllama, "runner exited"},                       // B
    {Event::kChildEnded, Speaker::kOllama, "discovery: server startup exited"},    // C
    {Event::kChildEnded, Speaker::kOllama, "llama-server --list-devices failed"},  // C
    {Event::kNoDevice, Speaker::kOllama, "no nvidia devices detected by library"},
    {Event::kNoDevice, Speaker::kOllama, "Unable to load cudart"},
    {Event::kNoDevice, Speaker::kOllama, "unable to load cuda driver library"},  // v0.2, v0.3
    {Event::kNoDevice, Speaker::kOllama, "error looking up nvidia GPU memory"},
    {Event::kNoDevice, Speaker::kOllama, "version mismatch between driver and cuda driver"},
    {Event::kNoDevice, Speaker::kOllama, "unknown error initializing cuda driver library"},
    {Event::kNoDevice, Speaker::kOllama, "no compatible GPUs were discovered"},
    {Event::kCudaError, Speaker::kOllama, "native GPU discovery failed"},  // C
    {Event::kDriverTooOld, Speaker::kOllama, "NVIDIA driver too old"},     // from v0.30.11
    {Event::kArchMissing, Speaker::kOllama, "CUDA GPU is too old"},        // A
    // "skipping CUDA device — compute capability not in compiled architectures": the dash is
    // not printable ASCII.
    {Event::kArchMissing, Speaker::kOllama, "compute capability not in compiled"},  // C
    {Event::kCompute, Speaker::kOllama, "inference compute"},
    {Event::kVram, Speaker::kOllama, "vram-based default context"},
    {Event::kVram, Speaker::kOllama, "entering low vram mode"},
    {Event::kOverride, Speaker::kOllama, "user overrode visible devices"},
    {Event::kNoAvx, Speaker::kOllama, "CPU does not have "},
    {Event::kRunner, Speaker::kOllama, "starting runner"},        // B; of discovery too
    {Event::kRunner, Speaker::kOllama, "starting llama server"},  // A
    {Event::kRunner, Speaker::kOllama, "starting llama-server"},  // C
    {Event::kOffload, Speaker::kRecord, "layers.offload="},       // A, and B's older runner
    {Event::kTooLarge, Speaker::kOllama, "model request too large for system"},
    {Event::kTooLarge, Speaker::kOllama, "gpu has too little memory to allocate any layers"},
    {Event::kTooLarge, Speaker::kChild, "model requires more system memory"},
    {Event::kRunnerDied, Speaker::kOllama, "llama runner terminated"},
    {Event::kRunnerDied, Speaker::kChild, "process has terminated"},  // llama runner, llama-server
    {Event::kCudaError, Speaker::kChild, "failed to initialize CUDA"},
    {Event::kCudaError, Speaker::kChild, "cuInit err: "},  // A, DEBUG
    {Event::kCudaError, Speaker::kChild, "cuDeviceGetCount err: "},
    // A, of the server: these end in no newline, and stand in front of its next record.
    {Event::kCudaError, Speaker::kChild, "failed to get device context "},
    {Event::kCudaError, Speaker::kChild, "device memory info lookup failure "},
    {Event::kCudaError, Speaker::kChild, "your nvidia driver is too old or missing"},
    {Event::kCudaError, Speaker::kChild, "CUDA error"},
    {Event::kArchMissing, Speaker::kChild, "GGML_ASSERT(ggml_cuda_has_arch"},
    {Event::kArchMissing, Speaker::kChild, "ggml was not compiled with any CUDA arch"},
    {Event::kBackend, Speaker::kRecord, "msg=system "},  // a runner's list of what it opened
    {Event::kBackend, Speaker::kChild, "load_backend: "},
    {Event::kBackend, Speaker::kChild, "incompatible API version"},
    {Event::kBackend, Speaker::kChild, "api_version"},
    {Event::kDeviceCount, Speaker::kChild, "ggml_cuda_init: found "},
    {Event::kDeviceCount, Speaker::kChild, "ggml_vulkan: Found "},
    {Event::kDevice, Speaker::kChild, ", compute capability "},
    {Event::kOffload, Speaker::kChild, " layers to GPU"},
    {Event::kLaunchRefused, Speaker::kShim, "kernel launch refused"},
    {Event::kOtherRuntime, Speaker::kShim, "NVIDIA's own CUDA runtime is loaded"},
    {Event::kLoaderError, Speaker::kLoader, "cannot be preloaded"},
    {Event::kLoaderError, Speaker::kLoader, "symbol lookup error"},
    {Event::kLoaderError, Speaker::kLoader, "error while loading shared libraries"},
    {Event::kLoaderError, Speaker::kLoader, "undefined symbol"},
    {Event::kLoaderError, Speaker::kLoader, "cannot open shared object file"},
    {Event::kLoaderError, Speaker::kLoader, "not found (required by "},
    {Event::kUnitExited, Speaker::kSystemd, "Main process exited, code="},
    {Event::kUnitRestart, Speaker::kSystemd, "Scheduled restart job, restart counter is at "},
    {Event::kUnitStarted, Speaker::kSystemd, "Started "},
    {Event::kUnitStopped, Speaker::kSystemd, "Stopped "},
    // load-fragment.c, conf-parser.c, execute.c, namespace.c (systemd 252).
    {Event::kUnitProblem, Speaker::kSystemd, ", ignoring"},
    {Event::kUnitProblem, Speaker::kSystemd, "Assignment outside of section"},
    {Event::kUnitProblem, Speaker::kSystemd, "Failed to load environment files"},
    {Event::kUnitProblem, Speaker::kSystemd, "Failed to set up mount namespacing"},
    {Event::kUnitProblem, Speaker::kSystemd, "Failed at step "},
    {Event::kUnitProblem, Speaker::kSystemd, "Failed to execute "},
    {Event::kUnitProblem, Speaker::kSystemd, "Failed to locate executable "},
};

}  // namespace

absl::Span<const Message> Messages() { return kMessages; }

}  // namespace vgpu::ollama
