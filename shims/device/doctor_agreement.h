// Whether the doctor and the shims understand a devices.toml alike. For tests.

#ifndef SHIMS_DEVICE_DOCTOR_AGREEMENT_H_
#define SHIMS_DEVICE_DOCTOR_AGREEMENT_H_

#include <string>
#include <string_view>

namespace vgpu::device {

// "" where they do: both take it, with the same values, or both reject it, for the same reason on
// the same line; or the shims alone reject it for a reason that the doctor does not look for
// (kStricter in the source lists them). Otherwise what they say of it.
std::string DisagreementWithDoctor(std::string_view text);

}  // namespace vgpu::device

#endif  // SHIMS_DEVICE_DOCTOR_AGREEMENT_H_
