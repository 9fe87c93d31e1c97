package capi

// uint32_t hljs_abi_version(void);
func abiVersion() uint32 {
	f := newFrame()
	defer f.done()
	return uint32(f.call(symbols.hljs_abi_version))
}

// Version is the version of the loaded library, like 0.1.0.
//
// void hljs_version(const uint8_t **text, size_t *len);
func Version() string {
	f := newFrame()
	defer f.done()
	f.outData()
	f.call(symbols.hljs_version)
	return f.lent()
}

// Features names the optional features of the loaded library, separated by commas.
//
// void hljs_features(const uint8_t **text, size_t *len);
func Features() string {
	f := newFrame()
	defer f.done()
	f.outData()
	f.call(symbols.hljs_features)
	return f.lent()
}

// Runtime names the guest runtime that the loaded library embeds.
//
// void hljs_runtime(const uint8_t **text, size_t *len);
func Runtime() string {
	f := newFrame()
	defer f.done()
	f.outData()
	f.call(symbols.hljs_runtime)
	return f.lent()
}

// IsHypervisorPresent says whether a hypervisor is there and answers.
//
// hljs_code hljs_is_hypervisor_present(uint32_t *present, hljs_error **error);
func IsHypervisorPresent() (bool, *Error) {
	f := newFrame()
	defer f.done()
	f.outNumber()
	err := f.fallible(symbols.hljs_is_hypervisor_present)
	return f.number != 0, err
}
