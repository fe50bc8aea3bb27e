import * as setting from "../../../assembly/abi/setting.js";
import {
  CONNTRACK_SETTINGS,
  conntrackSetting,
  routesAnywhere,
  routesLocalnet,
  type Sysctls,
} from "../../ruleset/sysctls.js";

export interface SettingEntry {
  /** SETTING_ code. */
  readonly code: number;
  readonly value: number;
}

const CODES: Readonly<Record<string, number>> = setting;

/** The settings that the machine knows, each with its code, which is named after the sysctl. TypeError for a value out of range. */
export function settingEntries(sysctls: Sysctls): readonly SettingEntry[] {
  const tracking = CONNTRACK_SETTINGS.flatMap((name) => {
    const code = CODES[`SETTING_${name.toUpperCase()}`];
    return code === undefined ? [] : [{ code, value: conntrackSetting(sysctls, name) }];
  });
  return [
    ...tracking,
    { code: setting.SETTING_ROUTE_LOCALNET, value: Number(routesLocalnet(sysctls)) },
    { code: setting.SETTING_ROUTE_ANYWHERE, value: Number(routesAnywhere(sysctls)) },
  ];
}
