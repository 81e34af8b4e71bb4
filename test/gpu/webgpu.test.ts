/**
 * The WebGPU device beyond values: what its shaders look like, where memory goes, donation, abort,
 * loss and disposal, limits, and that the process it ran in ends.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import { emitWgsl, leastLimits, wgslProgram } from '../../compiler/emit/wgsl/index.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { denseSilu, foldCore } from '../core/hand.ts';
import { handCases, longFold, matmuls, of } from './cases.ts';
import { describeOn } from './devices.ts';
import { compare, runOn } from './run-core.ts';

const program = (core = foldCore(false)) => ({ core, plan: () => schedule(core), donate: [] });

describe('shaders', () => {
  it('of a dense layer with a gate', () => {
    expect(emitWgsl(schedule(denseSilu(7, 9)))).toMatchInlineSnapshot(`
      "// kernel 0: 1 x 1 workgroups
      @group(0) @binding(1) var<storage, read_write> s0: array<u32>;
      @group(0) @binding(0) var<uniform> loops: array<vec4<i32>, 4>;
      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let group = at.x;
        let thread = group * 64u + lane;
        if (thread >= 7u) { return; }
        let a0 = i32(thread);
        var acc = 0f;
        for (var a1 = 0i; a1 < 9i; a1++) {
          acc = acc + (bitcast<f32>(s0[(a0 * 9i + a1)]) * bitcast<f32>(s0[64i + a1]));
        }
        s0[128i + a0] = bitcast<u32>(acc);
      }

      // kernel 1: 1 x 1 workgroups
      @group(0) @binding(1) var<storage, read_write> s0: array<u32>;
      @group(0) @binding(0) var<uniform> loops: array<vec4<i32>, 4>;
      fn m_exp(p0: f32) -> f32 {
        let v0 = select(p0, 89f, 89f < p0);
        let v1 = (-104f);
        let v2 = select(v0, v1, v0 < v1);
        let v3 = (v2 * 1.4426950216293335f);
        let v4 = round(v3);
        let v5 = ((v2 - (v4 * 0.693359375f)) - (v4 * (-0.00021219444170128554f)));
        let v6 = (((((0.00831266213208437f * v5) + 0.041890621185302734f) * v5) + 0.16667114198207855f) * v5);
        let v7 = (i32(round(v3)) + 254i);
        let v8 = (v7 >> 1u);
        let v9 = (((((((v6 + 0.4999922811985016f) * v5) + 1f) * v5) + 1f) * bitcast<f32>((v8 << 23u))) * bitcast<f32>(((v7 - v8) << 23u)));
        return v9;
      }
      @compute @workgroup_size(64)
      fn main(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let group = at.x;
        let thread = group * 64u + lane;
        if (thread >= 7u) { return; }
        let a0 = i32(thread);
        let v0 = m_exp((-bitcast<f32>(s0[128i + a0])));
        let v1 = (1f + v0);
        s0[192i + a0] = bitcast<u32>(((bitcast<f32>(s0[128i + a0]) / v1) - (v0 * v1)));
      }
      "
    `);
  });

  it('take the form that fits: tiles, a workgroup per long sum, else a thread per cell', () => {
    const forms = (core: Core): string[] => {
      const { shaders } = wgslProgram(schedule(core, [], { fuse: false }), leastLimits);
      return [...shaders.values()].map((s) =>
        s.code.includes('var<workgroup> left')
          ? 'tiles'
          : s.code.includes('part')
            ? 'long'
            : 'plain',
      );
    };
    expect(forms(matmuls(2, 33, 40, 21)).filter((f) => f === 'tiles')).toHaveLength(4);
    expect(forms(matmuls(2, 3, 40, 21))).not.toContain('tiles');
    const long = handCases.find((c) => c.name === 'long reductions')!.make().core;
    expect(forms(long)).toEqual([...'LLLppLLLL'].map((c) => (c === 'L' ? 'long' : 'plain')));
  });

  it('read the step of a fold from a uniform, so a fold is one pipeline', () => {
    const { shaders } = wgslProgram(schedule(foldCore(true)), leastLimits);
    const inLoop = [...shaders.values()].filter((s) => s.code.includes('= loops[0][0];'));
    expect(inLoop.length).toBeGreaterThan(0);
    expect(inLoop[0]!.code).toContain('loops: array<vec4<i32>, 4>');
  });

  it('hold no name of the user', () =>
    fc.assert(
      fc.property(arbitraryCore(), ({ core }) => {
        const plan = schedule(core);
        const named = { ...plan, bufs: plan.bufs.map((b) => ({ ...b, name: '"; evil(); //' })) };
        expect(emitWgsl(named)).toBe(emitWgsl(plan));
      }),
      { numRuns: 20 },
    ));
});

describe('memory', () => {
  it('is packed into segments below the binding limit, without overlap', () =>
    fc.assert(
      fc.property(arbitraryCore(), fc.integer({ min: 16, max: 40 }), ({ core }, pages) => {
        const given = schedule(core);
        const limits = { bindingBytes: pages * 4096, bindings: 1000 };
        const { memory, plan } = wgslProgram(given, limits);
        // Scratch is a workgroup's or a thread's own, temporaries may take turns.
        const stored = plan.bufs.filter((b) => b.kind !== 'temp' && b.kind !== 'scratch');
        const used = stored
          .filter((b) => b.words > 0)
          .map((b) => ({ ...memory.place(b.id), words: b.words }));
        for (const [i, a] of used.entries()) {
          expect(a.offset + a.words).toBeLessThanOrEqual(memory.segments[a.segment]!);
          for (const b of used.slice(i + 1))
            expect(
              a.segment !== b.segment ||
                a.offset + a.words <= b.offset ||
                b.offset + b.words <= a.offset,
            ).toBe(true);
        }
        for (const s of memory.segments) expect(s * 4).toBeLessThanOrEqual(limits.bindingBytes);
      }),
    ));

  it('that no device can bind is refused with the numbers', () => {
    const plan = schedule(denseSilu(1000, 1000));
    expect(() => wgslProgram(plan, { bindingBytes: 65536, bindings: 8 })).toThrow(
      'input w needs 4000000 bytes, and this device binds at most 65536 at once',
    );
  });
});

describeOn('webgpu', (open) => {
  it('leaves donated state in the input', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryCore({ bits: false }), fc.nat(), async (c, pick) => {
        const pairs = c.core.outputs.flatMap((o, i) =>
          c.core.inputs.flatMap((x, j) =>
            x.t === o.t && x.shape.join() === o.shape.join() ? [[i, j] as const] : [],
          ),
        );
        fc.pre(pairs.length > 0);
        const donate = [pairs[pick % pairs.length]!];
        const got = await runOn(await open(), c.core, c.inputs, donate);
        expect(compare(c.core, got, interpret(c.core, c.inputs))).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });

  it('multiplies matrices of any size in tiles', async () => {
    const size = fc.integer({ min: 4, max: 90 });
    await fc.assert(
      fc.asyncProperty(size, size, size, async (m, k, o) => {
        const { core, inputs } = of(matmuls(1, m, k, o));
        const got = await runOn(await open(), core, inputs);
        expect(compare(core, got, interpret(core, inputs), 1e-5)).toEqual([]);
      }),
      { numRuns: 4 },
    );
  });

  it('splits thread numbers over two dimensions beyond 65,535 workgroups', async () => {
    const core = denseSilu(65536 * 64 + 70, 1);
    const inputs = [
      Float64Array.from({ length: 65536 * 64 + 70 }, (_, i) => i % 1000),
      Float64Array.of(0.5),
    ];
    const [y] = await runOn(await open(), core, inputs);
    expect(y!.findIndex((v, i) => v !== (i % 1000) / 2)).toBe(-1);
  });

  it('spreads a program over several buffers where one is too large to bind', async () => {
    const { webgpuDevice } = await import('../../runtime/devices/webgpu.ts');
    const device = await webgpuDevice({ bindingBytes: 2560 });
    for (const make of [() => of(matmuls(1, 9, 12, 13)), () => of(foldCore(true))]) {
      const { core, inputs } = make();
      const got = await runOn(device, core, inputs);
      expect(compare(core, got, interpret(core, inputs), 1e-5)).toEqual([]);
    }
    const { core } = of(denseSilu(100, 100));
    await expect(device.prepare(program(core))).rejects.toMatchObject({
      code: 'device',
      message: expect.stringContaining('binds at most 2560'),
    });
    device.dispose();
  });

  it('stops in the middle of a run when the signal fires', async () => {
    const core = longFold(200_000);
    const exe = await (await open()).prepare(program(core));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    await expect(exe.run(controller.signal)).rejects.toMatchObject({ code: 'aborted' });
    exe.dispose();
  });

  it('does not start when the signal has fired', async () => {
    const exe = await (await open()).prepare(program());
    await expect(exe.run(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    await expect(exe.read(0)).rejects.toThrow('was not computed');
    exe.dispose();
  });

  it('refuses arrays of another length and use after disposal', async () => {
    const exe = await (await open()).prepare(program());
    expect(exe.bytes).toBeGreaterThan(0);
    expect(() => exe.write(0, new Float32Array(1))).toThrow('has 4 elements, got 1');
    exe.dispose();
    exe.dispose();
    await expect(exe.run()).rejects.toThrow('disposed');
  });

  it('reports the loss of its device as an error of the device', async () => {
    const { webgpuDevice } = await import('../../runtime/devices/webgpu.ts');
    const device = await webgpuDevice();
    const exe = await device.prepare(program());
    device.dispose();
    await expect(exe.run()).rejects.toMatchObject({ name: 'TenonError', code: 'usage' });
  });

  it('leaves the environment as it was, and lets the process end', async () => {
    const url = (p: string): string => new URL(p, import.meta.url).href;
    const script = `
      const before = JSON.stringify(process.env);
      const { openDevice } = await import('${url('../../runtime/devices/registry.ts')}');
      const { schedule } = await import('${url('../../compiler/schedule/schedule.ts')}');
      const { denseSilu } = await import('${url('../core/hand.ts')}');
      const core = denseSilu(2, 2);
      const device = await openDevice('webgpu');
      const exe = await device.prepare({ core, plan: () => schedule(core), donate: [] });
      exe.write(0, Float32Array.of(1, 2, 3, 4));
      exe.write(1, Float32Array.of(1, 1));
      await exe.run();
      process.stdout.write(String(await exe.read(0)) + (JSON.stringify(process.env) === before));`;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--no-warnings', '-e', script],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    );
    expect({ stdout, stderr }).toEqual({ stdout: '3,7true', stderr: '' });
  });
});
