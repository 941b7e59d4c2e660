// What is shown of many hosts (fleet.h).
//
// Every view has the hosts by their causes, how many hosts have each cause, and what most of
// them share. Text, Markdown and HTML begin with what most hosts have and end with the table of
// all hosts; JSON is the form "vgpu-doctor.fleet/1" (fleet.schema.json); of Prometheus's text
// format every series has the host's name and place as labels.
//
// Pure functions, safe in any thread.

#ifndef DIAG_REPORT_FLEET_VIEWS_H_
#define DIAG_REPORT_FLEET_VIEWS_H_

#include <string>

#include "diag/report/fleet.h"
#include "diag/report/text.h"

namespace vgpu::report {

// Of the style, width, color and utf8.
std::string ToText(const Fleet& fleet, const TextStyle& style);
std::string ToJson(const Fleet& fleet);
std::string ToMarkdown(const Fleet& fleet);
std::string ToHtml(const Fleet& fleet);
std::string ToPrometheus(const Fleet& fleet);

}  // namespace vgpu::report

#endif  // DIAG_REPORT_FLEET_VIEWS_H_
