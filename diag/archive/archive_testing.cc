#include "diag/archive/archive_testing.h"

#include <cstdlib>

#include "diag/archive/zstd.h"

namespace vgpu::archive {

std::string Tar(const std::vector<TarMember>& members) {
  StringSink sink;
  TarWriter writer(sink);
  for (const TarMember& member : members) {
    if (!writer.Add(member).ok()) std::abort();
  }
  if (!writer.Finish().ok()) std::abort();
  return sink.text;
}

std::string Zstd(absl::string_view bytes) {
  StringSink sink;
  ZstdSink zstd(sink);
  if (!zstd.Write(bytes).ok() || !zstd.Finish().ok()) std::abort();
  return sink.text;
}

}  // namespace vgpu::archive
