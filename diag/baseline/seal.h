// Texts of a host as a baseline may keep them: what is harmless in the clear, everything else
// so that equal and changed can be told and the value cannot.
//
//   const Sealer sealer(salt, machine_id);
//   sealer.Variable("LD_PRELOAD", "/usr/lib64/libvgpu-cuda.so")   // as it is
//   sealer.Variable("HF_TOKEN", "hf_…")                           // "<sealed 9f3b…>"
//   sealer.Text("serve --token abc")               // "serve --token <redacted> <sealed 9f3b…>"
//
// Values of variables pass by an allow-list of names; any other text loses what
// report::RedactSecrets takes out. A seal is HMAC-SHA-256 of the whole text, cut to 128 bits. Its
// key is made of the salt, which stands in the baseline, and of the machine's id
// (machine-id(5): confidential), which does not: whoever has the file alone cannot try guesses.
// On another machine seals say nothing; `check` tells whether two sealers have one key.
//
// A value, immutable; safe from any thread.

#ifndef DIAG_BASELINE_SEAL_H_
#define DIAG_BASELINE_SEAL_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::baseline {

// Longer texts are kept as their first part and a seal of the whole.
inline constexpr size_t kMaxText = 4096;

class Sealer {
 public:
  // `machine_id` is empty where it is not known.
  Sealer(absl::string_view salt, absl::string_view machine_id);

  std::string Text(absl::string_view text) const;
  std::string Variable(absl::string_view name, absl::string_view value) const;
  // Of a text that is not kept at all: "<sealed 9f3b…>".
  std::string Whole(absl::string_view text) const;

  const std::string& salt() const { return salt_; }
  // The same for two sealers only if their seals can be compared.
  const std::string& check() const { return check_; }

 private:
  std::string salt_;
  std::string key_;
  std::string check_;
};

// Some of the text is a seal.
bool HasSeal(absl::string_view text);

// The value of a variable of this name may be read by whoever reads a report.
bool IsOpenVariable(absl::string_view name);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_SEAL_H_
