import { findFreePort, requireFreePort } from './ports.js';
import { PORT_SETTINGS, type StackOptions, type StackPorts } from './stack-options.js';

/** Checks that each wanted port is free and picks the ones asked for as 0. @throws PortTaken */
export async function resolvePorts(options: StackOptions): Promise<StackPorts> {
  const ports = { ...options.ports };
  const taken = new Set<number>(Object.values(ports));
  for (const name of neededPorts(options)) {
    if (ports[name] === 0) {
      ports[name] = await findFreePort(taken);
      taken.add(ports[name]);
    } else {
      await requireFreePort(ports[name], PORT_SETTINGS[name].purpose, PORT_SETTINGS[name].variable);
    }
  }
  return ports;
}

function neededPorts({ databaseUrl, existingTemporal, services }: StackOptions): (keyof StackPorts)[] {
  const needed: (keyof StackPorts)[] = [];
  if (!databaseUrl) needed.push('postgres');
  if (!existingTemporal) needed.push('temporal', 'temporalUi');
  if (services.includes('policy-server')) needed.push('policyServer');
  if (services.includes('api')) needed.push('api');
  return needed;
}
