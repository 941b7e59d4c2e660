// Prints the table of CUDA's errors, a row a line: number, name and text, with tabs between.

#include <iostream>

#include "diag/ollama/cuda_error.h"

int main() {
  for (const vgpu::ollama::CudaErrorInfo& info : vgpu::ollama::CudaErrors()) {
    std::cout << info.code << '\t' << info.name << '\t' << info.text << '\n';
  }
}
