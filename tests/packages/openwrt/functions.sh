# Stands for OpenWrt's /lib/functions.sh. A UCI file is shell, once config, option and list are commands.
config() { SECTION=${2:-anonymous}; }
option() { eval "CONFIG_${SECTION}_$1=\$2"; }
list() { :; }
config_load() { . "/etc/config/$1"; }
config_get() { eval "$1=\${CONFIG_${2}_$3:-\$4}"; }
config_get_bool() {
	local found
	config_get found "$2" "$3" "$4"
	case "$found" in 1 | on | true | yes | enabled) eval "$1=1" ;; *) eval "$1=0" ;; esac
}
default_postinst() {
	local script
	for script in /etc/uci-defaults/*; do (. "$script") && rm "$script"; done
	/etc/init.d/vigia-agent enable
	/etc/init.d/vigia-agent start
}
default_prerm() { /etc/init.d/vigia-agent disable; /etc/init.d/vigia-agent stop; }
