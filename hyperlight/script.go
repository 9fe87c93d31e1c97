package hyperlight

// JSScript is the source of a handler; upstream's Script.
type JSScript struct{ content string }

// Script makes a script from its source, which must be UTF-8 without NUL bytes. Nothing is checked
// until it is used. Upstream: Script::from_content.
func Script(content string) JSScript { return JSScript{content} }

// Content is the source. Upstream: Script::content.
func (s JSScript) Content() string { return s.content }
