// Questions to the model of the loader: which file answers for a layer of CUDA in a process
// of discovery, whose that file is, and what it stands before.

#ifndef DIAG_RULES_MODELLED_H_
#define DIAG_RULES_MODELLED_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "diag/facts/facts.h"
#include "diag/facts/loader_facts.h"
#include "diag/facts/maker.h"
#include "diag/loader/loader.h"
#include "diag/rules/judgement.h"

namespace vgpu::rules {

// Whose the file of an object is; of a file that it shadows.
facts::Maker MakerOf(const facts::Facts& facts, const loader::Object& object);
facts::Maker MakerOf(const facts::Facts& facts, const loader::Shadowed& shadowed);

// The object came by a preload list, itself or as a need of one that did.
bool CameByPreload(const loader::Load& load, size_t object);
// ... of the host's own /etc/ld.so.preload, whose faults are VG102's.
bool CameByHostFile(const facts::Facts& facts, const loader::Load& load, size_t object);

// A step of a process: its start, or one opening.
struct Step {
  const facts::ModelledProcess* process = nullptr;
  bool running = false;                    // it is of what runs, not of the next start
  const loader::Load* load = nullptr;      // as it is after the step
  const loader::Opened* opened = nullptr;  // null: the start
  const std::vector<loader::Problem>* problems = nullptr;
  const std::vector<loader::Unseen>* unseen = nullptr;
};

// Every step of every process that is modelled, what runs now first.
std::vector<Step> AllSteps(const facts::Facts& facts);

// One answer of the loader for a layer.
struct Answer {
  Step step;
  size_t object = 0;
  std::string name;  // that was asked for: "libcudart.so.12"
  const loader::Object& Get() const { return step.load->objects[object]; }
};

// Who answers for the layer where discovery asks for it, by DT_NEEDED or dlopen. One for each
// process and object.
std::vector<Answer> AnswersFor(const facts::Facts& facts, facts::Shim layer);

// "LD_LIBRARY_PATH, entry 2: /usr/local/lib/ollama/cuda_v12".
std::string PlaceText(const loader::Place& place);

// "the discovery runner of cuda_v12", for evidence.
std::string ProcessText(const facts::ModelledProcess& process);

// When a fault in that step acts.
Acts ActsOf(const facts::Facts& facts, const Step& step);

// The backend opens in some variant's process, and the driver and the runtime that it gets are
// of one maker: then that variant finds the device, whatever is wrong with another.
bool SomeVariantWorks(const facts::Facts& facts, bool running);

// A process of discovery was modelled as far as its backend, with nothing unseen.
bool SawDiscovery(const facts::Facts& facts);
// What stood in the way of that: for a CannotTell.
CannotTell WhyNotSeen(const facts::Facts& facts, absl::string_view what);

}  // namespace vgpu::rules

#endif  // DIAG_RULES_MODELLED_H_
