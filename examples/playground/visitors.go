package main

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// sweepEvery bounds how many addresses are remembered, together with how many can connect in that time.
const sweepEvery = 10 * time.Second

// visitors bound how often one address may ask.
type visitors struct {
	rate        rate.Limit
	burst       int
	behindProxy bool

	mu        sync.Mutex
	limiters  map[string]*rate.Limiter
	lastSwept time.Time
}

func newVisitors(s settings) *visitors {
	return &visitors{rate: rate.Limit(s.rate), burst: s.burst, behindProxy: s.behindProxy, limiters: map[string]*rate.Limiter{}}
}

// allow says whether the address may ask now.
func (v *visitors) allow(address string, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now.Sub(v.lastSwept) > sweepEvery {
		v.sweep(now)
	}
	limiter := v.limiters[address]
	if limiter == nil {
		limiter = rate.NewLimiter(v.rate, v.burst)
		v.limiters[address] = limiter
	}
	return limiter.AllowN(now, 1)
}

// sweep forgets addresses that may ask as often as new ones.
func (v *visitors) sweep(now time.Time) {
	v.lastSwept = now
	for address, limiter := range v.limiters {
		if limiter.TokensAt(now) >= float64(v.burst) {
			delete(v.limiters, address)
		}
	}
}

// address is whose request it is: of IPv6 the network, since visitors have a whole one.
func (v *visitors) address(r *http.Request) string {
	ip, known := parseIP(r.RemoteAddr)
	if forwarded := r.Header.Values("X-Forwarded-For"); v.behindProxy && len(forwarded) > 0 {
		// The last one is what the proxy itself has seen. What is before it anybody may have made up.
		all := strings.Split(forwarded[len(forwarded)-1], ",")
		if seen, ok := parseIP(strings.TrimSpace(all[len(all)-1])); ok {
			ip, known = seen, true
		}
	}
	if !known {
		return r.RemoteAddr
	}
	if ip.Is6() {
		return netip.PrefixFrom(ip, 64).Masked().String()
	}
	return ip.String()
}

// parseIP reads an address with or without a port.
func parseIP(text string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	ip, err := netip.ParseAddr(text)
	return ip.Unmap().WithZone(""), err == nil
}
