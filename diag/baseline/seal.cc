#include "diag/baseline/seal.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/baseline/sha256.h"
#include "diag/ollama/variables.h"
#include "diag/report/redact.h"

namespace vgpu::baseline {
namespace {

constexpr char kSeal[] = "<sealed ";
constexpr char kLeftOut[] = "<sealed without a key>";

// Of the environment of a service, what says where things are and how much is logged, and is no
// secret by its nature. The variables that decide discovery are another table
// (diag/ollama/variables.h).
constexpr absl::string_view kOpen[] = {
    "CUDA_CACHE_PATH",
    "CUDA_HOME",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_MODULE_LOADING",
    "CUDA_PATH",
    "GGML_CUDA_ENABLE_UNIFIED_MEMORY",
    "GGML_CUDA_INIT",
    "GIN_MODE",
    "GODEBUG",
    "GOMAXPROCS",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LD_BIND_NOW",
    "LD_DEBUG",
    "LOGNAME",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_REQUIRE_CUDA",
    "OLLAMA_CONTEXT_LENGTH",
    "OLLAMA_DEBUG",
    "OLLAMA_FLASH_ATTENTION",
    "OLLAMA_GPU_OVERHEAD",
    "OLLAMA_HOST",
    "OLLAMA_KEEP_ALIVE",
    "OLLAMA_KV_CACHE_TYPE",
    "OLLAMA_LIBRARY_PATH",
    "OLLAMA_LOAD_TIMEOUT",
    "OLLAMA_MAX_LOADED_MODELS",
    "OLLAMA_MAX_QUEUE",
    "OLLAMA_MODELS",
    "OLLAMA_MULTIUSER_CACHE",
    "OLLAMA_NEW_ENGINE",
    "OLLAMA_NOPRUNE",
    "OLLAMA_NUM_GPU",
    "OLLAMA_NUM_PARALLEL",
    "OLLAMA_SCHED_SPREAD",
    "PATH",
    "SHELL",
    "SYSTEMD_DEVICE_VERIFY_SYSFS",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
};

// Of the hash, in hexadecimal: 128 bits.
constexpr size_t kDigits = 32;

std::string Digits(absl::string_view hash) {
  return absl::BytesToHexString(hash).substr(0, kDigits);
}

}  // namespace

Sealer::Sealer(absl::string_view salt, absl::string_view machine_id, int form)
    : Sealer(salt, form) {
  if (machine_id.empty()) return;
  key_ = form == 1 ? HmacSha256(salt, absl::StrCat("vgpu-doctor baseline: seals\n", machine_id))
                   : HmacSha256("vgpu-doctor baseline: seals of form 2", machine_id);
  check_ = Seal("check");
}

Sealer Sealer::OfCapture(absl::string_view salt, absl::string_view inner_check, int form) {
  Sealer sealer(salt, form);
  if (form != 1 && !inner_check.empty()) {
    sealer.check_ = salt.empty() ? std::string(inner_check) : Digits(HmacSha256(salt, inner_check));
  }
  return sealer;
}

std::string Sealer::Seal(absl::string_view text) const {
  const std::string inner = Digits(HmacSha256(key_, text));
  return form_ == 1 || salt_.empty() ? inner : Digits(HmacSha256(salt_, inner));
}

std::string Sealer::Marked(absl::string_view text) const {
  return key_.empty() ? std::string(kLeftOut) : absl::StrCat(kSeal, Seal(text), ">");
}

std::string Sealer::Salted(absl::string_view text) const {
  std::string out;
  while (true) {
    const size_t at = text.find(kSeal);
    const absl::string_view inner =
        at == absl::string_view::npos ? "" : text.substr(at + sizeof(kSeal) - 1).substr(0, kDigits);
    if (inner.size() < kDigits || salt_.empty()) return absl::StrCat(out, text);
    absl::StrAppend(&out, text.substr(0, at), kSeal, Digits(HmacSha256(salt_, inner)));
    text.remove_prefix(at + sizeof(kSeal) - 1 + kDigits);
  }
}

std::string Sealer::Whole(absl::string_view text) const {
  return Marked(absl::StrCat("whole\n", text));
}

std::string Sealer::Text(absl::string_view text) const {
  std::string clear = report::RedactSecrets(text);
  if (clear == text && clear.size() <= kMaxText) return clear;
  if (clear.size() > kMaxText) clear.resize(kMaxText);
  return absl::StrCat(clear, " ", Marked(absl::StrCat("text\n", text)));
}

std::string Sealer::Variable(absl::string_view name, absl::string_view value) const {
  const bool open = IsOpenVariable(name) && value.size() <= kMaxText;
  const std::string assignment = absl::StrCat(name, "=", value);
  if (open && report::RedactSecrets(assignment) == assignment) return std::string(value);
  return Marked(absl::StrCat("variable\n", value));
}

bool HasSeal(absl::string_view text) { return absl::StrContains(text, kSeal); }

bool HasSealLeftOut(absl::string_view text) { return absl::StrContains(text, kLeftOut); }

bool IsOpenVariable(absl::string_view name) {
  return ollama::DecidesDiscovery(name) ||
         std::find(std::begin(kOpen), std::end(kOpen), name) != std::end(kOpen);
}

}  // namespace vgpu::baseline
