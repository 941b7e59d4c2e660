#include "tools/vgpu_probe/library.h"
#include "tools/vgpu_probe/steps.h"

namespace vgpu::probe_program {

// As ggml does (ggml-backend-reg.cpp, dl_load_library): every symbol is bound at once.
void BackendStep(Words words, Answer& answer) {
  if (words[0] == nullptr) {
    answer.Fail("", "no file is named");
    return;
  }
  const Library library(words[0], RTLD_NOW | RTLD_LOCAL, answer);
  if (library.ok()) library.Get<void*>("ggml_backend_init");
}

}  // namespace vgpu::probe_program
