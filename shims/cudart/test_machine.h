// For tests: a machine with two virtual devices of its own, whatever this one is configured for.

#ifndef SHIMS_CUDART_TEST_MACHINE_H_
#define SHIMS_CUDART_TEST_MACHINE_H_

namespace vgpu::cudart {

// Writes a configuration and names it in VGPU_CONFIG. Before the first call of the runtime. The
// devices' UUIDs are new: tests that run at once do not count each other's memory.
void UseTestMachine();

inline constexpr char kFirstName[] = "NVIDIA H100 80GB HBM3";
inline constexpr char kSecondName[] = "NVIDIA L40S";

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_TEST_MACHINE_H_
