// How a function leaves the shim: all others are hidden (shims/shim.bzl).

#ifndef SHIMS_CUDA_EXPORT_H_
#define SHIMS_CUDA_EXPORT_H_

#define VGPU_EXPORT __attribute__((visibility("default")))

// `name` is one more name of `function`, which this file defines. gcc warns of parentheses around
// what is declared, and clang-tidy of none.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define VGPU_ALIAS(name, function) \
  extern "C" VGPU_EXPORT decltype(function) name __attribute__((alias(#function)))
// NOLINTEND(bugprone-macro-parentheses)

#endif  // SHIMS_CUDA_EXPORT_H_
