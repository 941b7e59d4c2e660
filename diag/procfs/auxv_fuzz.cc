// The vector ends at its AT_NULL or is truncated, and a tag is found where it stands.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "diag/procfs/auxv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto auxv =
      vgpu::procfs::ParseAuxv(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!auxv.ok()) return 0;
  if (auxv->entries().size() > size / 16) abort();
  for (size_t i = 0; i < auxv->entries().size() && i < 8; ++i) {
    if (!auxv->Find(auxv->entries()[i].first).present()) abort();
  }
  if (auxv->Find(vgpu::procfs::Auxv::kNull).present()) abort();
  if (auxv->truncated() && auxv->Secure().absent()) abort();
  if (!auxv->truncated() && auxv->HasInterpreter().not_observed()) abort();
  return 0;
}
