// Secrets that are known by their form alone, as data: what their issuers begin them with, and
// where programs take them on a command line.
//
// Which forms there are: the issuers' own documentation, as GitHub's list of supported secret
// scanning patterns and the default configuration of gitleaks 8 gather it. What has no prefix
// (40 hexadecimal digits) is no form: a build id looks the same.

#ifndef DIAG_REPORT_SECRET_FORMS_H_
#define DIAG_REPORT_SECRET_FORMS_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::report {

struct SecretForm {
  absl::string_view whose;
  // RE2, over bytes. Where it has a group, the secret is what stands behind the group.
  absl::string_view pattern;
};

// Stand anywhere in a text, at the beginning of a word.
absl::Span<const SecretForm> TokenForms();

// Of a program and its arguments, up to the secret: what stands in the group is no secret.
absl::Span<const SecretForm> CommandForms();

}  // namespace vgpu::report

#endif  // DIAG_REPORT_SECRET_FORMS_H_
