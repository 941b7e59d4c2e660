// Channel formats: the runtime describes a texel by the bits of its components, the driver by a
// number and a count.

#ifndef SHIMS_CUDART_FORMAT_H_
#define SHIMS_CUDART_FORMAT_H_

#include "shims/cudart/types.h"

namespace vgpu::cudart {

struct ArrayFormat {
  CUarray_format format;
  unsigned channels;  // 1, 2 or 4
};

// False: no array has this format.
bool ToArrayFormat(const cudaChannelFormatDesc& channels, ArrayFormat* array);
bool ToChannels(const ArrayFormat& array, cudaChannelFormatDesc* channels);

// Bytes of one texel; 0 where a block of texels is the unit.
size_t ElementBytes(const ArrayFormat& array);

}  // namespace vgpu::cudart

#endif  // SHIMS_CUDART_FORMAT_H_
