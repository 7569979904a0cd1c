# The utilities of rump kernels in this shell: bash, zsh, dash and other Bourne shells.
#
#	. rumpctrl.sh [URL | -u PATH]
#
# A URL, or the PATH of a unix socket, says which kernel (RUMP_SERVER). In a shell whose "." takes no
# arguments: set -- URL; . rumpctrl.sh
#
#	rumpctrl_listcmds            list the utilities
#	rumpctrl_hascmd NAME         tell whether there is a utility
#	rumpctrl_hostcmd CMD [ARG]   run the host's command
#	rumpctrl_unload              leave everything as it was
#
# A name that no utility has is the host's command of that name: mind the prompt.

if [ -n "${_rumpctrl_dir-}" ]; then
	echo 'rumpctrl env already loaded!' >&2
	return 1
fi

_rumpctrl_dir=@DIR@

# What is here now, for rumpctrl_unload. A variable that was not set has no value to go back to.
_rumpctrl_path=$PATH
_rumpctrl_server=${RUMP_SERVER-}
_rumpctrl_server_set=${RUMP_SERVER+set}
_rumpctrl_ps1=${PS1-}
_rumpctrl_ps1_set=${PS1+set}
_rumpctrl_cd=
_rumpctrl_subst=
if [ -n "${BASH_VERSION-}" ]; then
	_rumpctrl_aliases=$(alias -p)
	_rumpctrl_cd=$(declare -f cd || :)
elif [ -n "${ZSH_VERSION-}" ]; then
	_rumpctrl_aliases=$(alias -L)
	_rumpctrl_cd=$(functions cd || :)
	if [[ ! -o promptsubst ]]; then
		_rumpctrl_subst=off
		setopt promptsubst
	fi
else
	_rumpctrl_aliases=$(alias | sed 's/^/alias /')
fi

case ${1-} in
-u)
	if [ -n "${2-}" ]; then
		RUMP_SERVER=unix://$2
		export RUMP_SERVER
	else
		echo 'rumpctrl: -u needs the path of a socket' >&2
	fi
	;;
*://*)
	RUMP_SERVER=$1
	export RUMP_SERVER
	;;
'')
	;;
*)
	echo "rumpctrl: '$1' is not a URL" >&2
	;;
esac

unalias -a
PATH=$_rumpctrl_dir/bin:$PATH
PS1='rumpctrl (${RUMP_SERVER:-NULL})$ '

rumpctrl_listcmds() {
	"$_rumpctrl_dir/bin/rumpctrl" list
}

rumpctrl_hascmd() {
	case ${1-} in
	'' | */* | rumpctrl) ;;
	*)
		if [ -x "$_rumpctrl_dir/bin/$1" ]; then
			echo '#t'
			return 0
		fi
		;;
	esac
	echo '#f'
	return 1
}

rumpctrl_hostcmd() {
	(
		PATH=$_rumpctrl_path
		export PATH
		exec "$@"
	)
}

cd() {
	echo "ERROR: cd not available in rumpctrl mode${1+ $*}"
	return 1
}

rumpctrl_unload() {
	unset -f cd rumpctrl_listcmds rumpctrl_hascmd rumpctrl_hostcmd rumpctrl_unload
	PATH=$_rumpctrl_path
	if [ -n "$_rumpctrl_server_set" ]; then
		RUMP_SERVER=$_rumpctrl_server
	else
		unset RUMP_SERVER
	fi
	if [ -n "$_rumpctrl_ps1_set" ]; then
		PS1=$_rumpctrl_ps1
	else
		unset PS1
	fi
	if [ "$_rumpctrl_subst" = off ]; then
		unsetopt promptsubst
	fi
	eval "$_rumpctrl_aliases"
	eval "$_rumpctrl_cd"
	unset _rumpctrl_dir _rumpctrl_path _rumpctrl_server _rumpctrl_server_set _rumpctrl_ps1 _rumpctrl_ps1_set \
		_rumpctrl_cd _rumpctrl_subst _rumpctrl_aliases
}
