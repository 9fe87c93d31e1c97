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
	ADDQ  $80, SP
	POPQ  BX
	RET

// The address of callC, which is a C function: what Go takes for the address of a function is not.
DATA ·callCAddress(SB)/8, $callC<>(SB)
GLOBL ·callCAddress(SB), NOPTR|RODATA, $8

// func currentGoroutine() uintptr
TEXT ·currentGoroutine(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET
