// Exit codes that are no verdict.

#ifndef TOOLS_VGPU_DOCTOR_EXIT_CODES_H_
#define TOOLS_VGPU_DOCTOR_EXIT_CODES_H_

namespace vgpu::doctor {

inline constexpr int kUsage = 2;   // usage, or unreadable input
inline constexpr int kFault = 70;  // a fault of the tool itself

}  // namespace vgpu::doctor

#endif  // TOOLS_VGPU_DOCTOR_EXIT_CODES_H_
