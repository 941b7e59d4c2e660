#include "diag/ollama/cuda_error.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "re2/re2.h"

namespace vgpu::ollama {
namespace {

// The name is the runtime's where the driver has none. cuda_error_table_test holds numbers, names
// and texts against NVIDIA's headers and runtimes.
constexpr CudaErrorInfo kErrors[] = {
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument", "a call was given a value that it refuses"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory",
     "the device's memory is used up, by others where it comes at the start"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error",
     "the driver could not bring CUDA up: a fault of the driver, or a device that is passed "
     "through to this machine incompletely"},
    {4, "CUDA_ERROR_DEINITIALIZED", "driver shutting down", "the driver is being shut down"},
    {34, "CUDA_ERROR_STUB_LIBRARY", "CUDA driver is a stub library",
     "the libcuda that was opened is the toolkit's stub, made for linking only"},
    {35, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version",
     "the driver is older than the runtime that the backend carries, or no driver is to be found"},
    {36, "cudaErrorCallRequiresNewerDriver",
     "API call is not supported in the installed CUDA driver",
     "the driver is older than the call that was made"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable",
     "another process has the device for itself, or its compute mode forbids its use"},
    {98, "cudaErrorInvalidDeviceFunction", "invalid device function",
     "the backend carries no code that this device runs"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected",
     "the driver is there and shows no device"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal",
     "a device was asked for that does not exist"},
    {200, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid",
     "the driver does not take the backend's device code: the code is made for a newer driver, or "
     "damaged"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context",
     "a call was made without a context"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU",
     "no kernel image is available for execution on the device",
     "the backend carries no code for this device"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered",
     "the device's memory is faulty"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
     "the provided PTX was compiled with an unsupported toolchain.",
     "the driver is older than the toolkit that built the backend"},
    {302, "CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND", "shared object symbol not found",
     "the driver's libraries do not fit each other"},
    {303, "CUDA_ERROR_SHARED_OBJECT_INIT_FAILED", "shared object initialization failed",
     "a library of the driver could not be brought up"},
    {304, "CUDA_ERROR_OPERATING_SYSTEM", "OS call failed or operation not supported on this OS",
     "the kernel refused what the driver's library asked: device nodes, or memory locking"},
    {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found",
     "the driver's library lacks what the runtime looks for: releases that do not fit each other"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered",
     "a kernel read or wrote outside its memory"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure", "a kernel failed"},
    {800, "CUDA_ERROR_NOT_PERMITTED", "operation not permitted",
     "the process may not use the device: most often a container whose device rights were "
     "taken away while it ran"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported",
     "the driver, or what stands in for it, does not offer what was asked"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized",
     "the NVSwitch fabric is not up: nvidia-fabricmanager does not run"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
     "system has unsupported display driver / cuda driver combination",
     "kernel module and user library of the driver are of different versions"},
    {804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
     "forward compatibility was attempted on non supported HW",
     "a compatibility libcuda newer than the kernel module is in the search path, and this "
     "device does not allow that"},
    {805, "CUDA_ERROR_MPS_CONNECTION_FAILED",
     "MPS client failed to connect to the MPS control daemon or the MPS server",
     "the MPS server that the environment names does not answer"},
    {806, "CUDA_ERROR_MPS_RPC_FAILURE",
     "the remote procedural call between the MPS server and the MPS client failed",
     "the MPS server that the environment names broke the connection off"},
    {807, "CUDA_ERROR_MPS_SERVER_NOT_READY",
     "MPS server is not ready to accept new MPS client requests",
     "the MPS server that the environment names is starting, or recovers from an error"},
    {808, "CUDA_ERROR_MPS_MAX_CLIENTS_REACHED",
     "the hardware resources required to create MPS client have been exhausted",
     "more processes want to share the device through MPS than it allows"},
    {809, "CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED",
     "the hardware resources required to support device connections have been exhausted",
     "more connections to the device are open through MPS than it allows"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error",
     "the driver gives no reason: after a resume the nvidia_uvm module has lost its state; else "
     "device nodes are missing"},
};

// Where a number stands behind words.
const RE2& Numbered() {
  static const RE2& re = *new RE2(
      R"((?:cuInit err: |cuInit failed: |cuDeviceGetCount failed: |cuDeviceGetCount err: )"
      R"(|cuda driver library init failure: |cudart init failure: |unable to get device count: )"
      R"(|failed to get device context |device memory info lookup failure )(\d{1,4})\b)");
  return re;
}

const RE2& CallFailed() {
  // `CUDA error: TEXT`, and before 2024 `CUDA error 100 at FILE:LINE: TEXT`.
  static const RE2& re = *new RE2(R"(CUDA error(?: (\d{1,4}) at [^ ]+)?: ([^\n]+))");
  return re;
}

int CodeOfText(absl::string_view text) {
  for (const CudaErrorInfo& info : kErrors) {
    if (absl::StartsWithIgnoreCase(text, info.text)) return info.code;
  }
  return 0;
}

CudaErrorWords Coded(int code, bool at_init = true) {
  CudaErrorWords words;
  words.code = code;
  words.at_init = at_init;
  if (const CudaErrorInfo* info = CudaErrorOf(code)) words.text = std::string(info->text);
  return words;
}

re2::StringPiece Piece(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::Span<const CudaErrorInfo> CudaErrors() { return kErrors; }

const CudaErrorInfo* CudaErrorOf(int code) {
  for (const CudaErrorInfo& info : kErrors) {
    if (info.code == code) return &info;
  }
  return nullptr;
}

std::optional<CudaErrorWords> FindCudaError(absl::string_view words) {
  constexpr absl::string_view kInit = "failed to initialize CUDA: ";
  if (size_t at = words.find(kInit); at != absl::string_view::npos) {
    CudaErrorWords found;
    absl::string_view text = words.substr(at + kInit.size());
    found.text = std::string(absl::StripAsciiWhitespace(text.substr(0, text.find('\n'))));
    found.code = CodeOfText(found.text);
    return found;
  }
  int number = 0;
  if (RE2::PartialMatch(Piece(words), Numbered(), &number) && number != 0) {
    CudaErrorWords found = Coded(number);
    if (found.text.empty()) found.text = std::to_string(number);
    return found;
  }
  // Era A's words.
  if (absl::StrContains(words, "no nvidia devices detected by library")) return Coded(100);
  if (absl::StrContains(words, "unknown error initializing cuda driver library")) {
    return Coded(999);
  }
  if (absl::StrContains(words, "your nvidia driver is too old or missing")) return Coded(35);
  if (absl::StrContains(words, "version mismatch between driver and cuda driver library")) {
    CudaErrorWords found;
    found.code = 35;
    found.or_code = 803;
    found.text = "version mismatch between driver and cuda driver library";
    return found;
  }
  std::string code, text;
  if (RE2::PartialMatch(Piece(words), CallFailed(), &code, &text)) {
    CudaErrorWords found;
    found.at_init = false;
    found.text = std::string(absl::StripAsciiWhitespace(text));
    found.code = code.empty() ? CodeOfText(found.text) : std::stoi(code);
    return found;
  }
  return std::nullopt;
}

}  // namespace vgpu::ollama
