// What a report says of the preload list, entry by entry: the order in which the loader takes
// the libraries, and what the evidence has against each.
//
// A report has no list of its own: it is found in the evidence, where a rule quotes LD_PRELOAD,
// and the findings beside it by the paths that their evidence names. What no evidence mentions
// is not known to be right or wrong.
//
// Pure function, safe in any thread. Takes a report that is safe to show (shown.h), and points
// into it.

#ifndef DIAG_REPORT_PRELOAD_LIST_H_
#define DIAG_REPORT_PRELOAD_LIST_H_

#include <string>
#include <vector>

#include "diag/report/report.h"

namespace vgpu::report {

struct PreloadEntry {
  std::string path;
  std::vector<const Item*> findings = {};  // each once, root causes first
  bool loaded = false;                     // the process has it in memory
};

struct PreloadList {
  std::string source;                      // where it was read; empty: there is none
  std::vector<PreloadEntry> entries = {};  // in order
  std::vector<PreloadEntry> beside = {};   // libraries that findings name and the list does not
};

PreloadList FindPreloadList(const Report& shown);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_PRELOAD_LIST_H_
