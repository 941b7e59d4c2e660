// Facts of a log alone, as people paste one into a ticket.
//
// All but the log is not observed: only_a_log is set, and every reason is kOnlyALog. What
// the log itself tells (version, era, process, the environment that `server config` prints)
// is present.

#ifndef DIAG_FACTS_FROM_LOG_H_
#define DIAG_FACTS_FROM_LOG_H_

#include <string>

#include "absl/time/time.h"
#include "diag/facts/facts.h"
#include "diag/host/host.h"

namespace vgpu::facts {

struct FromLogOptions {
  std::string name = {};  // of the log, for the report: a path, "standard input"
  absl::TimeZone time_zone = absl::UTCTimeZone();  // for lines that name none
  absl::Time since = absl::InfinitePast();         // older lines are left out
};

// Never fails: a log that holds nothing gives facts that know nothing.
Facts FromLog(host::ByteSource& source, const FromLogOptions& options);

}  // namespace vgpu::facts

#endif  // DIAG_FACTS_FROM_LOG_H_
