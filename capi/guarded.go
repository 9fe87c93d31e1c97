package capi

// Guarded runs a user's function on a goroutine of its own and waits for it. A panic or a
// runtime.Goexit there would otherwise unwind through the native frames below a callback.
func Guarded(function func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		function()
	}()
	<-done
}
