#include "shims/cudart/format.h"

namespace vgpu::cudart {
namespace {

// Both APIs number these without gaps (driver_types.h and cuda.h 12.8).
constexpr int kNormalizedKinds = 5;       // cudaChannelFormatKindUnsignedNormalized8X1
constexpr int kNormalizedFormats = 0xc0;  // CU_AD_FORMAT_UNORM_INT8X1
constexpr int kNormalizedCount = 12;

struct Plain {
  cudaChannelFormatKind kind;
  int bits;
  CUarray_format format;
};

constexpr Plain kPlain[] = {
    {cudaChannelFormatKindUnsigned, 8, CU_AD_FORMAT_UNSIGNED_INT8},
    {cudaChannelFormatKindUnsigned, 16, CU_AD_FORMAT_UNSIGNED_INT16},
    {cudaChannelFormatKindUnsigned, 32, CU_AD_FORMAT_UNSIGNED_INT32},
    {cudaChannelFormatKindSigned, 8, CU_AD_FORMAT_SIGNED_INT8},
    {cudaChannelFormatKindSigned, 16, CU_AD_FORMAT_SIGNED_INT16},
    {cudaChannelFormatKindSigned, 32, CU_AD_FORMAT_SIGNED_INT32},
    {cudaChannelFormatKindFloat, 16, CU_AD_FORMAT_HALF},
    {cudaChannelFormatKindFloat, 32, CU_AD_FORMAT_FLOAT},
};

bool IsNormalized(int format) {
  return format >= kNormalizedFormats && format < kNormalizedFormats + kNormalizedCount;
}

// Within UNORM_INT8X1, X2, X4, INT16X1, X2, X4, SNORM_… the same again.
int NormalizedBits(int format) { return (format - kNormalizedFormats) / 3 % 2 == 0 ? 8 : 16; }
unsigned NormalizedChannels(int format) { return 1u << ((format - kNormalizedFormats) % 3); }

}  // namespace

bool ToArrayFormat(const cudaChannelFormatDesc& channels, ArrayFormat* array) {
  if (channels.f >= kNormalizedKinds && channels.f < kNormalizedKinds + kNormalizedCount) {
    int format = kNormalizedFormats + channels.f - kNormalizedKinds;
    *array = {static_cast<CUarray_format>(format), NormalizedChannels(format)};
    return true;
  }
  const int bits[] = {channels.x, channels.y, channels.z, channels.w};
  unsigned count = 0;
  while (count < 4 && bits[count] != 0) ++count;
  for (unsigned i = 0; i < 4; ++i) {
    if (bits[i] != (i < count ? bits[0] : 0)) return false;
  }
  if (count != 1 && count != 2 && count != 4) return false;
  for (const Plain& plain : kPlain) {
    if (plain.kind != channels.f || plain.bits != bits[0]) continue;
    *array = {plain.format, count};
    return true;
  }
  return false;
}

bool ToChannels(const ArrayFormat& array, cudaChannelFormatDesc* channels) {
  int bits = 0;
  unsigned count = array.channels;
  cudaChannelFormatKind kind = cudaChannelFormatKindNone;
  if (IsNormalized(array.format)) {
    bits = NormalizedBits(array.format);
    count = NormalizedChannels(array.format);
    kind = static_cast<cudaChannelFormatKind>(array.format - kNormalizedFormats + kNormalizedKinds);
  } else {
    for (const Plain& plain : kPlain) {
      if (plain.format != array.format) continue;
      bits = plain.bits;
      kind = plain.kind;
    }
  }
  if (bits == 0) return false;
  *channels = {bits, count > 1 ? bits : 0, count > 2 ? bits : 0, count > 3 ? bits : 0, kind};
  return true;
}

size_t ElementBytes(const ArrayFormat& array) {
  cudaChannelFormatDesc channels;
  if (!ToChannels(array, &channels)) return 0;
  return static_cast<size_t>(channels.x + channels.y + channels.z + channels.w) / 8;
}

}  // namespace vgpu::cudart
