// Prints what the model says of a start on this machine, as JSON.
//
//   model < requests.jsonl
//
// A request is a line:
//   {"program": "/tmp/x/main", "argv0": "./main", "cwd": "/tmp/x",
//    "environment": {"LD_PRELOAD": "/tmp/x/a.so"}, "preload_file": "/tmp/x/preload",
//    "dlopen": [{"name": "libb.so", "mode": "now"}]}
// and so is the answer: the winner of each request by name, problems and what is unseen.

#include <iostream>
#include <map>
#include <string>

#include "diag/host/live_host.h"
#include "diag/loader/loader.h"
#include "nlohmann/json.hpp"

namespace {

using nlohmann::json;
using namespace vgpu;  // NOLINT: a program

const char* EffectName(loader::Effect effect) {
  switch (effect) {
    case loader::Effect::kPassedOver:
      return "passed over";
    case loader::Effect::kEndsProgram:
      return "ends program";
    case loader::Effect::kFailsDlopen:
      return "fails dlopen";
    case loader::Effect::kIfUsed:
      return "if used";
  }
  return "";
}

const char* KindName(loader::Kind kind) {
  switch (kind) {
    case loader::Kind::kGlibc:
      return "glibc";
    case loader::Kind::kStatic:
      return "static";
    case loader::Kind::kScript:
      return "script";
    case loader::Kind::kOtherLoader:
      return "other loader";
    case loader::Kind::kAbsent:
      return "absent";
    case loader::Kind::kNotObserved:
      return "not observed";
  }
  return "";
}

json Problems(const std::vector<loader::Problem>& problems) {
  json list = json::array();
  for (const loader::Problem& problem : problems) {
    json doubts = json::array();
    for (const host::NotObserved& doubt : problem.doubts) doubts.push_back(doubt.why);
    list.push_back({{"effect", EffectName(problem.effect)},
                    {"status", problem.status},
                    {"signal", problem.signal},
                    {"hangs", problem.trouble == loader::Trouble::kHangs},
                    {"name", problem.request.name},
                    {"path", problem.path},
                    {"text", problem.text},
                    {"doubts", doubts}});
  }
  return list;
}

json Unseen(const std::vector<loader::Unseen>& unseen) {
  json list = json::array();
  for (const loader::Unseen& one : unseen) list.push_back(one.what + ": " + one.why);
  return list;
}

json Objects(const std::vector<loader::Object>& objects, size_t first) {
  json list = json::array();
  for (size_t i = first; i < objects.size(); ++i) {
    const loader::Object& object = objects[i];
    json shadows = json::array();
    for (const loader::Shadowed& shadow : object.shadows) shadows.push_back(shadow.place.path);
    json requests = json::array();
    for (const loader::Request& request : object.requests) requests.push_back(request.name);
    list.push_back({{"name", object.name},
                    {"path", object.place.path},
                    {"rule", std::string(loader::RuleName(object.place.rule))},
                    {"requests", requests},
                    {"shadows", shadows},
                    {"doubts", object.doubts.size()}});
  }
  return list;
}

json Answer(loader::Loader& loader, const json& request) {
  loader::StartOptions options;
  options.program = request.value("program", "");
  options.argv0 = request.value("argv0", "");
  if (request.contains("cwd")) options.cwd = request["cwd"].get<std::string>();
  if (request.contains("preload_file")) {
    options.preload_file = request["preload_file"].get<std::string>();
  }
  options.environment =
      loader::Environment::From(request.value("environment", std::map<std::string, std::string>()));
  loader::Load load = loader.Start(options);
  json answer = {{"kind", KindName(load.kind)},
                 {"objects", Objects(load.objects, 0)},
                 {"problems", Problems(load.problems)},
                 {"unseen", Unseen(load.unseen)},
                 {"dlopen", json::array()}};
  for (const json& open : request.value("dlopen", json::array())) {
    const std::string mode = open.value("mode", "now");
    loader::Opened opened = loader.Dlopen(load, 0, open.value("name", ""),
                                          mode == "lazy"     ? loader::Mode::kLazyLocal
                                          : mode == "global" ? loader::Mode::kNowGlobal
                                                             : loader::Mode::kNowLocal);
    answer["dlopen"].push_back({{"objects", Objects(opened.load.objects, opened.first_new)},
                                {"problems", Problems(opened.problems)},
                                {"unseen", Unseen(opened.unseen)}});
    if (!opened.Fails()) load = std::move(opened.load);
  }
  return answer;
}

}  // namespace

int main() {
  const host::LiveHost host;
  std::string line;
  while (std::getline(std::cin, line)) {
    const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!request.is_object()) return 2;
    // Each request sees the files as they are now.
    loader::Loader loader(host);
    std::cout << Answer(loader, request).dump(-1, ' ', false, json::error_handler_t::replace)
              << std::endl;
  }
  return 0;
}
