// Exercises hyperlight_js.h from C, as its head comment promises it works. Without an argument it runs
// what needs no hypervisor; with the argument "guest" it runs handlers too.

#include "parts.h"

#include <stdio.h>
#include <string.h>

static void without_guest(void) {
    telemetry_without_guest();
    host_without_guest();
    host_functions_without_guest();
    files_without_guest();
    contexts_without_guest();
    monitors_without_guest();
    interrupts_without_guest();
    batches_without_guest();
    snapshots_without_guest();
    misuse_without_guest();
}

static void with_guest(void) {
    life_with_guest();
    host_functions_with_guest();
    files_with_guest();
    contexts_with_guest();
    monitors_with_guest();
    interrupts_with_guest();
    batches_with_guest();
    snapshots_with_guest();
    crashdumps_with_guest();
    misuse_with_guest();
    telemetry_with_guest();
}

int main(int argc, char **argv) {
    const int guests = argc == 2 && strcmp(argv[1], "guest") == 0;
    if (argc != 1 && !guests) {
        fprintf(stderr, "usage: %s [guest]\n", argv[0]);
        return 2;
    }
    without_guest();
    if (guests) {
        with_guest();
    }
    printf("conformance, %s: %d checks, %d failed\n", guests ? "host and guest" : "host", all_checks(),
           failed_checks());
    return failed_checks() == 0 ? 0 : 1;
}
