package main

func Example() {
	main()
	// Output:
	// stopped by         the error matches                                it left    recovered by
	// wall clock         ErrCancelled (by wall-clock)                     poisoned   Restore
	// CPU time           ErrCancelled (by cpu-time)                       poisoned   Restore
	// deadline           ErrCancelled, DeadlineExceeded (by context)      poisoned   Restore
	// cancellation       ErrCancelled, Canceled, errHungUp (by context)   poisoned   Restore
	// trigger            ErrCancelled (by shutdown)                       poisoned   Restore
	// interrupt handle   ErrCancelled (by interrupt)                      poisoned   Restore
	// heap               ErrOutOfMemory                                   poisoned   Restore
	// output buffer      ErrOutputTooBig                                  poisoned   Restore
	// input buffer       ErrBufferTooSmall                                ready      itself
	// Close              ErrClosed                                        closed     a new sandbox
	// context of Load    ErrCancelled, Canceled, errHungUp (by context)   consumed   a new sandbox
}
