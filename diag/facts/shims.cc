#include "diag/facts/shims.h"

#include "absl/strings/match.h"
#include "diag/host/host.h"

namespace vgpu::facts {
namespace {

// Needed: facts of ollama/ollama. Era A opens libcuda, or libcudart only where no
// libcuda comes up; B and C load libggml-cuda.so, which needs libcuda.so.1 and
// libcudart.so.N; NVML is optional in all (B takes memory figures from it, C the
// driver's version); Ollama starts its children with the inherited environment and
// reads no file of an NVIDIA device in sysfs or procfs.
constexpr ShimInfo kShims[] = {
    {Shim::kExec, "libvgpu-exec", "", "", "Ollama's children inherit LD_PRELOAD without it"},
    {Shim::kSyscall, "libvgpu-syscall", "", "",
     "Ollama's discovery reads no file of an NVIDIA device in sysfs or procfs"},
    {Shim::kCuda, "libvgpu-cuda", "libcuda.so", "ABC", "discovery asks libcuda.so.1 for devices"},
    {Shim::kNvml, "libvgpu-nvml", "libnvidia-ml.so", "", "discovery goes on without NVML"},
    {Shim::kCudart, "libvgpu-cudart", "libcudart.so", "BC",
     "libggml-cuda.so counts devices through libcudart"},
};

// "libcuda.so" of "libcuda.so", "libcuda.so.1", "libcuda.so.550.54": the prefix, and
// then nothing or a dot.
bool HasStem(absl::string_view name, absl::string_view stem) {
  return !stem.empty() && absl::StartsWith(name, stem) &&
         (name.size() == stem.size() || name[stem.size()] == '.');
}

}  // namespace

absl::Span<const ShimInfo> AllShims() { return kShims; }

const ShimInfo& InfoOf(Shim shim) {
  for (const ShimInfo& info : kShims) {
    if (info.shim == shim) return info;
  }
  return kShims[0];
}

std::optional<ShimName> ShimOf(absl::string_view path) {
  absl::string_view name = host::Basename(path);
  for (const ShimInfo& info : kShims) {
    if (HasStem(name, info.name)) return ShimName{info.shim, true};
  }
  for (const ShimInfo& info : kShims) {
    if (HasStem(name, info.soname_prefix)) return ShimName{info.shim, false};
  }
  return std::nullopt;
}

bool NeededIn(Shim shim, ollama::Era era) {
  if (era == ollama::Era::kUnknown) return InfoOf(shim).needed_in.size() == 3;
  return absl::StrContains(InfoOf(shim).needed_in, ollama::EraName(era));
}

}  // namespace vgpu::facts
