// Exercises hyperlight_js.h from C, as its head comment promises it works. Without an argument it runs
// what needs no hypervisor; with the argument "guest" it runs handlers too.

#include "check.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    const int with_guest = argc == 2 && strcmp(argv[1], "guest") == 0;
    if (argc != 1 && !with_guest) {
        fprintf(stderr, "usage: %s [guest]\n", argv[0]);
        return 2;
    }
    host();
    if (with_guest) {
        guest();
    }
    printf("conformance, %s: %d checks, %d failed\n", with_guest ? "host and guest" : "host", all_checks(),
           failed_checks());
    return failed_checks() == 0 ? 0 : 1;
}
