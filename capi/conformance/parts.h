// The parts of the conformance program, one for each topic: what needs no guest, and what does.
#ifndef PARTS_H
#define PARTS_H

#include "check.h"

// Whether there is a hypervisor; guests may not boot on it.
uint32_t hypervisor_present(void);

// Comes first: metrics must be installed before the first sandbox is built.
void telemetry_without_guest(void);
void telemetry_with_guest(void);

void host_without_guest(void);
void life_with_guest(void);

void host_functions_without_guest(void);
void host_functions_with_guest(void);

void files_without_guest(void);
void files_with_guest(void);

void contexts_without_guest(void);
void contexts_with_guest(void);

// Uses up all names that triggers can have, so that those with guests take one of them: trigger_name.
void monitors_without_guest(void);
void monitors_with_guest(void);
extern const char trigger_name[];

void interrupts_without_guest(void);
void interrupts_with_guest(void);

void batches_without_guest(void);
void batches_with_guest(void);

void snapshots_without_guest(void);
void snapshots_with_guest(void);

void crashdumps_with_guest(void);

void misuse_without_guest(void);
void misuse_with_guest(void);

#endif
