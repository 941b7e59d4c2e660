// Takes secrets out of text that is about to be shown.
//
// A report is pasted into tickets and chats. Units, environments and logs hold passwords
// and keys that no diagnosis needs; each becomes `<redacted>`:
//
//   the user part of a URL      https://me:pw@proxy:3128  ->  https://<redacted>@proxy:3128
//   the value of a name that    HF_TOKEN=abc  ->  HF_TOKEN=<redacted>
//     sounds like a secret      map[API_KEY:abc A:1]  ->  map[API_KEY:<redacted> A:1]
//                               {"password":"a b"}, Authorization: Basic abc, --token abc
//   credentials by their form   Bearer …, ghp_…, hf_…, nvapi-…, sk-…, AKIA…, a JWT, a
//                               private key in PEM, $6$… (secret_forms.h)
//   where programs take them    mysql -pabc, sshpass -p abc, curl -u me:abc
//
// Names are TOKEN, SECRET, PASSWORD, API_KEY and their like, in any case, alone or within
// a longer name (AWS_SECRET_ACCESS_KEY). An empty value, true, false and null stay, since
// they are settings and not secrets. Where it cannot tell how far a value goes, it takes
// the more. It knows forms and names, not meanings: a password that stands alone is not
// recognised.
//
// Pure function, safe in any thread, linear in the length of the text. Redact before
// cutting or escaping: half a key is no longer recognised.

#ifndef DIAG_REPORT_REDACT_H_
#define DIAG_REPORT_REDACT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace vgpu::report {

std::string RedactSecrets(absl::string_view text);

// Of a text in which some values have given way to a keyed hash already
// (`<redacted:0123456789abcdef>`): these stay, and so do the numbers of lines, but behind a
// private key.
std::string RedactSecretsAroundHashes(absl::string_view text);

// Whether a variable's or a flag's name says that its value is a secret.
bool SoundsSecret(absl::string_view name);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_REDACT_H_
