// The version that every report names.

#ifndef DIAG_REPORT_VERSION_H_
#define DIAG_REPORT_VERSION_H_

namespace vgpu::report {

inline constexpr char kToolVersion[] = "0.1.0";

}  // namespace vgpu::report

#endif  // DIAG_REPORT_VERSION_H_
