#include "textflag.h"

// These are C functions, one for each type of callback of the ABI. Each notes which it is and goes on to callGo.

TEXT onPrint<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $0, AX
	JMP  callGo<>(SB)

TEXT onHostCall<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $1, AX
	JMP  callGo<>(SB)

TEXT onStat<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $2, AX
	JMP  callGo<>(SB)

TEXT onRead<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $3, AX
	JMP  callGo<>(SB)

TEXT onDrop<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $4, AX
	JMP  callGo<>(SB)

// callGo makes a callback (callback_linux_amd64.go) of the arguments in registers, and has Go take it. The stack is
// aligned by an odd number of words.
TEXT callGo<>(SB), NOSPLIT|NOFRAME, $0
	SUBQ $72, SP
	MOVQ AX, (0*8)(SP)
	MOVQ DI, (1*8)(SP)
	MOVQ SI, (2*8)(SP)
	MOVQ DX, (3*8)(SP)
	MOVQ CX, (4*8)(SP)
	MOVQ R8, (5*8)(SP)
	MOVQ R9, (6*8)(SP)
	MOVQ $0, (7*8)(SP)

	// crosscall2(fn func(unsafe.Pointer), callback unsafe.Pointer, unused, no traceback context)
	MOVQ ·taker(SB), DI
	MOVQ (DI), DI
	MOVQ SP, SI
	XORL DX, DX
	XORL CX, CX
	CALL crosscall2(SB)

	MOVQ (7*8)(SP), AX
	ADDQ $72, SP
	RET

// Their addresses, in the same order.
DATA ·callbackFunctions+0(SB)/8, $onPrint<>(SB)
DATA ·callbackFunctions+8(SB)/8, $onHostCall<>(SB)
DATA ·callbackFunctions+16(SB)/8, $onStat<>(SB)
DATA ·callbackFunctions+24(SB)/8, $onRead<>(SB)
DATA ·callbackFunctions+32(SB)/8, $onDrop<>(SB)
GLOBL ·callbackFunctions(SB), NOPTR|RODATA, $40
