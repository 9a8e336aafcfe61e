// SPDX-License-Identifier: Apache-2.0

// What the library found, as lines for people. They may change; programs read --json.

#ifndef ATTEST_COMMAND_PRINT_H_
#define ATTEST_COMMAND_PRINT_H_

#include <libattest/attest.h>
#include <stdbool.h>

#include "text.h"

// Findings of any object, failures first. Returns how many failures there are.
typedef attest_status finding_at(attest_finding* out, const void* object, size_t index);
size_t print_findings(struct text* out, finding_at* at, const void* object, size_t count);

finding_at report_finding_at;
finding_at eventlog_finding_at;
finding_at ima_finding_at;

void print_report_findings(struct text* out, const attest_report* report);

// The PCRs of a report, and how they ended where something judged them.
enum states { STATES_HIDDEN, STATES_SHOWN };
void print_report_pcrs(struct text* out, const attest_report* report, enum states states);

// PCR values, a line each.
void print_pcrs(struct text* out, const attest_pcrs* pcrs);

// Puts the library's JSON out as one line-ended object. Frees `json`. Complains before false.
bool json_to_stdout(const char* command, attest_buffer* json);

#endif  // ATTEST_COMMAND_PRINT_H_
