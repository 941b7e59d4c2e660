// How a function leaves the shim: all others are hidden (shims/shim.bzl).

#ifndef SHIMS_CUDA_EXPORT_H_
#define SHIMS_CUDA_EXPORT_H_

#define VGPU_EXPORT __attribute__((visibility("default")))

// `name` is one more name of `function`, which this file defines.
#define VGPU_ALIAS(name, function) \
  extern "C" VGPU_EXPORT decltype(function) name __attribute__((alias(#function)))

#endif  // SHIMS_CUDA_EXPORT_H_
