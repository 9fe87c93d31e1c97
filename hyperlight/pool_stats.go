package hyperlight

import "time"

// PoolStats is what a [Pool] is doing, and has done since it was made. Upstream has no pools.
type PoolStats struct {
	// Size is how many sandboxes the pool has, or is to have. Each is in one of the next four numbers.
	Size int
	// Idle sandboxes are ready, or are restored by whoever gets them.
	Idle int
	// InUse is how many have been acquired, or load a tenant.
	InUse int
	// Restoring is how many are being restored.
	Restoring int
	// Booting is how many are being booted, or wait until the host can do that.
	Booting int
	// Waiting is how many callers wait for a sandbox.
	Waiting int

	// Acquired is how often a sandbox was acquired, by HandleEvent too.
	Acquired uint64
	// Waited is how many callers have had to wait.
	Waited uint64
	// WaitTime is how long they waited, all together, and LongestWait the longest time, once the wait was over.
	WaitTime, LongestWait time.Duration

	// Restores is how often a sandbox was restored.
	Restores uint64
	// Poisoned is how often one came back poisoned.
	Poisoned uint64
	// Replaced is how often one was lost, and another one booted in its place.
	Replaced uint64
	// FailedBoots is how often a boot failed, and LastBootFailure why the last one did, or nil.
	FailedBoots     uint64
	LastBootFailure error

	// TenantHits is how often the pool had the snapshot of a tenant that was wanted, TenantMisses how often it
	// had not.
	TenantHits, TenantMisses uint64
	// TenantEvictions is how many snapshots were dropped since there were too many; not those in use by sandboxes.
	TenantEvictions uint64
	// Tenants is how many snapshots of tenants are kept, and TenantBytes how much memory they hold.
	Tenants     int
	TenantBytes int64
}

// Stats says what the pool is doing, and has done. It costs little, and never waits for a sandbox. Upstream has no
// pools.
func (p *Pool) Stats() PoolStats {
	if p == nil || p.core == nil {
		return PoolStats{}
	}
	return p.core.currentStats()
}

func (p *poolCore) currentStats() PoolStats {
	p.mu.Lock()
	defer p.unlock()
	stats := p.stats
	stats.Size = p.size
	stats.Idle = len(p.idle)
	stats.Restoring = p.cleaning + int(p.preparing.Load())
	stats.Booting = p.booting
	stats.InUse = len(p.members) - stats.Idle - stats.Restoring
	stats.Waiting = p.waiting
	stats.Acquired = p.acquired.Load()
	stats.Restores = p.restores.Load()
	stats.Tenants, stats.TenantBytes = p.images.tenants, p.images.bytes
	stats.TenantEvictions = p.images.evictions
	return stats
}
