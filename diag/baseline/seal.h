// Texts of a host as a baseline may keep them: what is harmless in the clear, everything else
// so that equal and changed can be told and the value cannot.
//
//   const Sealer sealer(salt, machine_id);
//   sealer.Variable("LD_PRELOAD", "/usr/lib64/libvgpu-cuda.so")   // as it is
//   sealer.Variable("HF_TOKEN", "hf_…")                           // "<sealed 9f3b…>"
//   sealer.Text("serve --token abc")               // "serve --token <redacted> <sealed 9f3b…>"
//
// Values of variables pass by an allow-list of names; any other text loses what
// report::RedactSecrets takes out.
//
// A seal is made in two steps, each an HMAC-SHA-256 cut to 128 bits:
//
//   inner = HMAC(HMAC("…", machine id), whole text)      what a capture carries
//   seal  = HMAC(salt of the baseline, inner)            what a baseline holds
//
// The machine's id (machine-id(5): 128 random bits, confidential) stands in neither of them, so
// whoever has a baseline, a capture or both cannot try guesses. A capture, which hides the id, can
// still be compared with a baseline: of the inner seal and the salt, anybody makes the seal. The
// price, all of it: two captures of one machine have the same inner seal for the same text, so that
// they show that a secret is the same or changed, and that the machine is the same; and whoever
// learns the machine's id (a user of that machine can read it, and machines that were cloned from
// one image with its id share it) can try guesses at a short secret. Whose id is not known makes
// no seals: a key that anybody knows would hide nothing.
//
// Baselines of form 1 have HMAC(HMAC(salt, machine id), text): only the machine itself can compare
// them.
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

// How seals are made now.
inline constexpr int kSealForm = 2;

class Sealer {
 public:
  // `machine_id` is empty where it is not known: then what is to be sealed is only left out. With
  // an empty salt, and form 2, the seals are inner ones.
  Sealer(absl::string_view salt, absl::string_view machine_id, int form = kSealForm);

  // Of a capture that hides the machine's id, and carries the inner check (empty: it does not).
  // What is to be sealed is left out; what the capture carries gets the salt.
  static Sealer OfCapture(absl::string_view salt, absl::string_view inner_check, int form);

  std::string Text(absl::string_view text) const;
  std::string Variable(absl::string_view name, absl::string_view value) const;
  // Of a text that is not kept at all: "<sealed 9f3b…>".
  std::string Whole(absl::string_view text) const;
  // A text whose seals are inner ones, with the salt.
  std::string Salted(absl::string_view text) const;

  const std::string& salt() const { return salt_; }
  // The same for two sealers only if their seals can be compared; empty: with none.
  const std::string& check() const { return check_; }
  int form() const { return form_; }

 private:
  Sealer(absl::string_view salt, int form) : salt_(salt), form_(form) {}
  std::string Seal(absl::string_view text) const;
  std::string Marked(absl::string_view text) const;  // "<sealed 9f3b…>"

  std::string salt_;
  int form_ = kSealForm;
  std::string key_;  // empty: no seal can be made
  std::string check_;
};

// Some of the text is a seal.
bool HasSeal(absl::string_view text);

// Some of the text would be one, had the machine's id been known.
bool HasSealLeftOut(absl::string_view text);

// The value of a variable of this name may be read by whoever reads a report.
bool IsOpenVariable(absl::string_view name);

}  // namespace vgpu::baseline

#endif  // DIAG_BASELINE_SEAL_H_
