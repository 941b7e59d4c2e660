// The steps of vgpu-probe. Each writes into an answer what it saw; what it could not do is a
// failure of the answer.

#ifndef TOOLS_VGPU_PROBE_STEPS_H_
#define TOOLS_VGPU_PROBE_STEPS_H_

#include "tools/vgpu_probe/answer.h"

namespace vgpu::probe_program {

// The words behind the step's name, up to a null.
using Words = char* const*;

// `loader`: this program started, in secure mode or not.
void LoaderStep(Words words, Answer& answer);
// `preload`: which entries of LD_PRELOAD and /etc/ld.so.preload are loaded.
void PreloadStep(Words words, Answer& answer);
// `nvml [LIBRARY]`: libnvidia-ml.so.1 and its devices.
void NvmlStep(Words words, Answer& answer);
// `cuda [LIBRARY]`: libcuda.so.1 and its devices.
void CudaStep(Words words, Answer& answer);
// `cudart LIBRARY`: a runtime, whose name says its major version, and its devices.
void CudartStep(Words words, Answer& answer);
// `backend FILE`: opens it as ggml does.
void BackendStep(Words words, Answer& answer);
// `pci WAY ADDRESS...`: vendor, device and class of PCI functions, read in one manner.
void PciStep(Words words, Answer& answer);

}  // namespace vgpu::probe_program

#endif  // TOOLS_VGPU_PROBE_STEPS_H_
