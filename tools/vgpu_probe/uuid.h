// The text of a device's id, as every client writes it (ggml-cuda.cu; Ollama's
// discover/gpu_info_nvcuda.c).

#ifndef TOOLS_VGPU_PROBE_UUID_H_
#define TOOLS_VGPU_PROBE_UUID_H_

#include <stdio.h>

namespace vgpu::probe_program {

struct UuidText {
  char text[48];

  explicit UuidText(const unsigned char (&b)[16]) {
    snprintf(text, sizeof(text),
             "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
  }
};

}  // namespace vgpu::probe_program

#endif  // TOOLS_VGPU_PROBE_UUID_H_
