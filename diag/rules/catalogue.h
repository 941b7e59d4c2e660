// The catalogue: every code that there is, as data.
//
// A code is stable for ever; one that is retired is never used again. Its hundreds are
// the layer: the earliest failing layer is where the cause is.

#ifndef DIAG_RULES_CATALOGUE_H_
#define DIAG_RULES_CATALOGUE_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace vgpu::rules {

enum class Kind {
  kCause,        // can be a root cause
  kRisk,         // latent until something restarts or upgrades
  kNote,         // never a root cause
  kConsequence,  // a symptom; a root cause only where nothing explains it
};

// "cause", "risk", "note", "consequence".
absl::string_view KindName(Kind kind);
// What the codes of a layer are about, 1 to 9: "what the unit says".
absl::string_view LayerTitle(int layer);

struct CatalogueEntry {
  absl::string_view code;   // "VG302"
  absl::string_view id;     // "service-started-before-config"
  absl::string_view title;  // for people
  Kind kind = Kind::kCause;
  // A consequence that may stand as a root cause where nothing explains it.
  bool stands_alone = true;

  int layer() const;  // 3 for VG302
};

// By code.
absl::Span<const CatalogueEntry> Catalogue();

// Null where there is no such code.
const CatalogueEntry* FindCode(absl::string_view code);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_CATALOGUE_H_
