#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// callC calls a C function. It is itself called as one, on a stack of the thread: DI points to a frame, which begins
// with the function's address, 15 arguments, and the place for its result (frame.go).
//
// Nine arguments go onto the stack, which is 16 bytes from being aligned after the push of BX.
TEXT callC<>(SB), NOSPLIT|NOFRAME, $0
	PUSHQ BX
	SUBQ  $80, SP
	MOVQ  DI, BX

	MOVQ  (7*8)(BX), AX
	MOVQ  AX, (0*8)(SP)
	MOVQ  (8*8)(BX), AX
	MOVQ  AX, (1*8)(SP)
	MOVQ  (9*8)(BX), AX
	MOVQ  AX, (2*8)(SP)
	MOVQ  (10*8)(BX), AX
	MOVQ  AX, (3*8)(SP)
	MOVQ  (11*8)(BX), AX
	MOVQ  AX, (4*8)(SP)
	MOVQ  (12*8)(BX), AX
	MOVQ  AX, (5*8)(SP)
	MOVQ  (13*8)(BX), AX
	MOVQ  AX, (6*8)(SP)
	MOVQ  (14*8)(BX), AX
	MOVQ  AX, (7*8)(SP)
	MOVQ  (15*8)(BX), AX
	MOVQ  AX, (8*8)(SP)

	MOVQ  (1*8)(BX), DI
	MOVQ  (2*8)(BX), SI
	MOVQ  (3*8)(BX), DX
	MOVQ  (4*8)(BX), CX
	MOVQ  (5*8)(BX), R8
	MOVQ  (6*8)(BX), R9
	MOVQ  (0*8)(BX), AX
	CALL  AX

	MOVQ  AX, (16*8)(BX)
	CMPQ  (17*8)(BX), $0
	JEQ   done
	MOVQ  BX, DI
	MOVL  $const_kindReturned, AX
	CALL  callGo<>(SB)

done:
	ADDQ  $80, SP
	POPQ  BX
	RET

// The address of callC, which is a C function: what Go takes for the address of a function is not.
DATA ·callCAddress(SB)/8, $callC<>(SB)
GLOBL ·callCAddress(SB), NOPTR|RODATA, $8

// func Goroutine() uintptr
TEXT ·Goroutine(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET

// func deepen()
//
// The check of the stack that the assembler puts in front is all that it is for.
TEXT ·deepen(SB), 0, $12000-0
	NO_LOCAL_POINTERS
	RET

// These are C functions, one for each type of callback of the ABI. Each notes which it is and goes on to callGo.

TEXT onPrint<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $const_kindPrint, AX
	JMP  callGo<>(SB)

TEXT onHostCall<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $const_kindFunction, AX
	JMP  callGo<>(SB)

TEXT onStat<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $const_kindStat, AX
	JMP  callGo<>(SB)

TEXT onRead<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $const_kindRead, AX
	JMP  callGo<>(SB)

TEXT onDrop<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $const_kindDrop, AX
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
