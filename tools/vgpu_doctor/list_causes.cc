#include "tools/vgpu_doctor/list_causes.h"

#include <stdio.h>

#include "absl/strings/str_cat.h"
#include "diag/rules/catalogue.h"
#include "nlohmann/json.hpp"
#include "tools/vgpu_doctor/exit_codes.h"

namespace vgpu::doctor {
namespace {

using Json = nlohmann::ordered_json;

std::string AsJson() {
  Json causes = Json::array();
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) {
    causes.push_back(Json{{"code", std::string(entry.code)},
                          {"id", std::string(entry.id)},
                          {"kind", std::string(rules::KindName(entry.kind))},
                          {"layer", entry.layer()},
                          {"title", std::string(entry.title)}});
  }
  return absl::StrCat(
      Json{{"schema", "vgpu-doctor.causes/1"}, {"causes", std::move(causes)}}.dump(2), "\n");
}

std::string AsText() {
  std::string text;
  int layer = 0;
  for (const rules::CatalogueEntry& entry : rules::Catalogue()) {
    if (entry.layer() != layer) {
      absl::StrAppend(&text, layer == 0 ? "" : "\n", entry.layer(), "xx  ",
                      rules::LayerTitle(entry.layer()), "\n");
      layer = entry.layer();
    }
    const absl::string_view kind = rules::KindName(entry.kind);
    absl::StrAppend(&text, "  ", entry.code, "  ",
                    entry.kind == rules::Kind::kCause ? "" : absl::StrCat("(", kind, ") "),
                    entry.title, "\n");
  }
  return text;
}

}  // namespace

CLI::App* AddListCauses(CLI::App& app, ListCausesOptions& options) {
  CLI::App* command = app.add_subcommand(
      "list-causes", "List every cause that vgpu-doctor knows, with its code and its kind.");
  command->add_option("--format", options.format, "text (the default) or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->option_text("FORMAT");
  command->footer(
      "The hundreds of a code are its layer: the earliest layer that fails is where the cause\n"
      "is. A risk bites after the next start or upgrade, a note is never a root cause, and a\n"
      "consequence is one only where nothing explains it.\n\n"
      "Example:\n"
      "  vgpu-doctor list-causes");
  return command;
}

int RunListCauses(const ListCausesOptions& options) {
  const std::string text = options.format == "json" ? AsJson() : AsText();
  if (fwrite(text.data(), 1, text.size(), stdout) != text.size() || fflush(stdout) != 0) {
    perror("vgpu-doctor: standard output");
    return kFault;
  }
  return 0;
}

}  // namespace vgpu::doctor
