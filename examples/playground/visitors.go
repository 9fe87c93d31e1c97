package main

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

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
	if now.Sub(v.lastSwept) > time.Minute {
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
	text, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		text = r.RemoteAddr
	}
	if forwarded := r.Header.Values("X-Forwarded-For"); v.behindProxy && len(forwarded) > 0 {
		// The last one is what the proxy itself has seen. What is before it anybody may have made up.
		all := strings.Split(forwarded[len(forwarded)-1], ",")
		text = strings.TrimSpace(all[len(all)-1])
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return text
	}
	if ip = ip.Unmap(); ip.Is6() {
		if network, err := ip.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
