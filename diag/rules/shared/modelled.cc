#include "diag/rules/shared/modelled.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "diag/rules/shared/preloaded.h"

namespace vgpu::rules {
namespace {

using facts::Maker;
using loader::Asker;
using loader::Load;
using loader::Object;

// MakerOf wants a file as the facts have it.
facts::FileFacts FileOf(const std::string& path, const host::Observed<host::Resolved>& found,
                        const host::Observed<loader::ElfRef>& elf) {
  facts::FileFacts file;
  file.path = path;
  file.found = found;
  file.elf = elf.Map([](const loader::ElfRef& info) {
    elf::ElfInfo names;  // what MakerOf reads of it
    names.build_id = info->build_id;
    names.exports = info->exports;
    return names;
  });
  return file;
}

// The object that brought it in, and the one that brought that in, up to the first.
const loader::Request* FirstRequest(const Load& load, size_t object) {
  for (size_t steps = 0; steps <= load.objects.size(); ++steps) {
    if (object >= load.objects.size() || load.objects[object].requests.empty()) return nullptr;
    const loader::Request& request = load.objects[object].requests.front();
    if (request.by != Asker::kNeeded || !request.object) return &request;
    object = *request.object;
  }
  return nullptr;
}

}  // namespace

Maker MakerOf(const facts::Facts& facts, const Object& object) {
  return facts::MakerOf(FileOf(object.place.path, object.file, object.elf), facts.gpu_libraries);
}

Maker MakerOf(const facts::Facts& facts, const loader::Shadowed& shadowed) {
  return facts::MakerOf(FileOf(shadowed.place.path, shadowed.file, shadowed.elf),
                        facts.gpu_libraries);
}

bool CameByPreload(const Load& load, size_t object) {
  const loader::Request* first = FirstRequest(load, object);
  return first != nullptr &&
         (first->by == Asker::kPreloadVariable || first->by == Asker::kPreloadFile);
}

bool CameByHostFile(const facts::Facts& facts, const Load& load, size_t object) {
  const loader::Request* first = FirstRequest(load, object);
  if (first == nullptr || first->by != Asker::kPreloadFile) return false;
  const auto of_host = [](const host::Observed<facts::PreloadList>& list) {
    return list.present() && list->kind == facts::PreloadKind::kHostFile;
  };
  return of_host(facts.process_preload_file) || of_host(facts.unit_preload_file);
}

std::vector<Step> AllSteps(const facts::Facts& facts) {
  std::vector<Step> steps;
  const auto add = [&](const std::vector<facts::ModelledProcess>& processes, bool running) {
    for (const facts::ModelledProcess& process : processes) {
      const Load& start = process.start;
      steps.push_back({&process, running, &start, nullptr, &start.problems, &start.unseen});
      for (const loader::Opened& opened : process.opened) {
        steps.push_back(
            {&process, running, &opened.load, &opened, &opened.problems, &opened.unseen});
      }
    }
  };
  add(facts.loader.now, true);
  add(facts.loader.next, false);
  return steps;
}

std::vector<Answer> AnswersFor(const facts::Facts& facts, facts::Shim layer) {
  std::vector<Answer> answers;
  for (const Step& step : AllSteps(facts)) {
    for (size_t i = 0; i < step.load->objects.size(); ++i) {
      for (const loader::Request& request : step.load->objects[i].requests) {
        if (request.by != Asker::kNeeded && request.by != Asker::kDlopen) continue;
        const std::optional<facts::ShimName> name = facts::ShimOf(request.name);
        if (!name || name->shim != layer || name->named_as_shim) continue;
        // The start of a process stands in the later steps too.
        const bool known = std::any_of(answers.begin(), answers.end(), [&](const Answer& answer) {
          return answer.step.process == step.process && answer.object == i &&
                 answer.Get().place.path == step.load->objects[i].place.path;
        });
        if (!known) answers.push_back({step, i, request.name});
      }
    }
  }
  return answers;
}

std::string PlaceText(const loader::Place& place) {
  std::string text(loader::RuleName(place.rule));
  if (!place.dir.empty()) absl::StrAppend(&text, " ", place.dir);
  return text;
}

std::string ProcessText(const facts::ModelledProcess& process) {
  return absl::StrCat("the ", process.role,
                      process.variant.empty() ? "" : absl::StrCat(" of ", process.variant));
}

Acts ActsOf(const facts::Facts& facts, const Step& step) {
  if (step.running) return Acts::kNow;
  return !facts.process.present() && Dies(facts) ? Acts::kNow : Acts::kNextStart;
}

bool SomeVariantWorks(const facts::Facts& facts, bool running) {
  for (const facts::ModelledProcess& process : running ? facts.loader.now : facts.loader.next) {
    const loader::Opened* backend = process.Backend();
    if (backend == nullptr || !backend->Succeeds().value_or(false)) continue;
    bool shim = false;
    bool other = false;
    for (facts::Shim layer : {facts::Shim::kCuda, facts::Shim::kCudart}) {
      for (const Answer& answer : AnswersFor(facts, layer)) {
        if (answer.step.process != &process) continue;
        (MakerOf(facts, answer.Get()) == Maker::kShim ? shim : other) = true;
      }
    }
    if (shim && !other) return true;
  }
  return false;
}

bool SawDiscovery(const facts::Facts& facts) {
  for (const facts::ModelledProcess& process : facts.loader.Deciding()) {
    const loader::Opened* backend = process.Backend();
    if (backend != nullptr && backend->Succeeds().present()) return true;
  }
  return false;
}

CannotTell WhyNotSeen(const facts::Facts& facts, absl::string_view what) {
  CannotTell answer{std::string(what), "no process of discovery could be followed",
                    "sudo vgpu-doctor check"};
  for (const Step& step : AllSteps(facts)) {
    if (step.unseen->empty()) continue;
    const loader::Unseen& unseen = step.unseen->front();
    answer.why = absl::StrCat(unseen.what, ": ", unseen.why);
    answer.how = "run vgpu-doctor on the machine itself, or capture the system's libraries too";
    break;
  }
  return answer;
}

}  // namespace vgpu::rules
