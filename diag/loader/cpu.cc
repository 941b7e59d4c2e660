#include "diag/loader/cpu.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace vgpu::loader {
namespace {

using Flags = std::set<absl::string_view>;

bool All(const Flags& flags, std::initializer_list<absl::string_view> wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](absl::string_view flag) { return flags.contains(flag); });
}

// Linux calls LZCNT "abm", SSE3 "pni" and LAHF "lahf_lm".
bool IsV2(const Flags& flags) {
  return All(flags, {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"});
}
bool IsV3(const Flags& flags) {
  return All(flags, {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"});
}
bool IsV4(const Flags& flags) {
  return All(flags, {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
}

// Every way to leave out some of the components, those that stand first being left out
// last (elf/dl-hwcaps.c, _dl_important_hwcaps).
std::vector<std::string> Subsets(const std::vector<std::string>& components) {
  std::vector<std::string> paths;
  for (unsigned mask = (1U << components.size()) - 1; mask > 0; --mask) {
    std::string path;
    for (size_t i = 0; i < components.size(); ++i) {
      if ((mask >> (components.size() - 1 - i) & 1) == 0) continue;
      absl::StrAppend(&path, path.empty() ? "" : "/", components[i]);
    }
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
  }
  return paths;
}

}  // namespace

Cpu CpuFrom(absl::string_view cpuinfo) {
  Cpu cpu;
  absl::string_view vendor, words;
  bool arm = false;
  for (absl::string_view line : absl::StrSplit(cpuinfo, '\n')) {
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    const absl::string_view key = absl::StripAsciiWhitespace(line.substr(0, colon));
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
    if (key == "vendor_id" && vendor.empty()) vendor = value;
    if (key == "flags" && words.empty()) words = value;
    if (key == "CPU architecture") arm = true;
  }
  if (arm) {
    cpu.platform = "aarch64";
    return cpu;
  }
  const std::vector<absl::string_view> list = absl::StrSplit(words, ' ', absl::SkipEmpty());
  const Flags flags(list.begin(), list.end());
  const bool v2 = IsV2(flags);
  const bool v3 = v2 && IsV3(flags);
  if (v3 && IsV4(flags)) cpu.hwcaps.push_back("x86-64-v4");
  if (v3) cpu.hwcaps.push_back("x86-64-v3");
  if (v2) cpu.hwcaps.push_back("x86-64-v2");

  // Only of Intel's own CPUs (init_cpu_features).
  const bool intel = vendor == "GenuineIntel";
  const bool phi = All(flags, {"avx512cd", "avx512er", "avx512pf"});
  cpu.platform = "x86_64";
  if (intel && phi) {
    cpu.platform = "xeon_phi";
  } else if (intel && All(flags, {"avx2", "bmi1", "bmi2", "abm", "movbe", "popcnt"})) {
    cpu.platform = "haswell";
  }
  std::vector<std::string> components = {"tls", cpu.platform};
  if (intel && !flags.contains("avx512er") && IsV4(flags)) components.push_back("avx512_1");
  components.push_back("x86_64");
  cpu.legacy = Subsets(components);
  return cpu;
}

}  // namespace vgpu::loader
