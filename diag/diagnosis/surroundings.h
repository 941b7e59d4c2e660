// What a report says beside its findings: what works, and what could not be seen. (What happened
// when: diag/timeline.) Pure functions of facts.

#ifndef DIAG_DIAGNOSIS_SURROUNDINGS_H_
#define DIAG_DIAGNOSIS_SURROUNDINGS_H_

#include "diag/facts/facts.h"
#include "diag/report/report.h"

namespace vgpu::diagnosis {

// Adds an item, unless one about the same thing stands there already.
void AddNotSeen(report::NotSeen item, report::Report& report);

void AddWorking(const facts::Facts& facts, report::Report& report);
void AddUnseen(const facts::Facts& facts, report::Report& report);

// Of `report`, which is complete otherwise. A process that was named and is no Ollama's is called
// what it is; and nobody is told to see by a command what that command has just not shown.
void SayWhatWasNamed(const facts::Facts& facts, report::Report& report);
void TakeOutWhatWasJustRun(const facts::Facts& facts, report::Report& report);

}  // namespace vgpu::diagnosis

#endif  // DIAG_DIAGNOSIS_SURROUNDINGS_H_
